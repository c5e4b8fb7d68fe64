/** The members of a shard and their reservoirs. Fields: PIPNN_SHARD in kernel/blocks.ts. */
@unmanaged
export class PipnnShard {
  count!: u32
  grid!: usize
  gridDims!: u32
  rowBytes!: u32
  norms!: usize
  records!: usize
  recordBytes!: u32
  capacity!: u32
  farCapacity!: u32
  scratch!: usize
}
