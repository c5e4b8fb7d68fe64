/**
 * Partition and all pairs: the candidates of a shard without any graph search (after "PiPNN: Ultra-Scalable Graph-Based
 * Nearest Neighbor Indexing", arXiv 2602.21247). The distance tile takes the largest part of the time.
 */

import { placeBlock, type Block } from '../../../kernel/block.js'
import { PIPNN_ROWS, PIPNN_SHARD } from '../../../kernel/blocks.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { CALL_ROWS } from '../../../kernel/call-rows.js'
import { KIND_SUFFIX, typedOps } from '../../../kernel/typed-ops.js'
import { EngineError } from '../../errors.js'
import type { EngineParams, Shard, ShardEngine, ShardGraph } from '../shard-engine.js'
import { fillReservoirs } from './fill-reservoirs.js'
import { fillDirections, randomWords } from './fill-directions.js'
import { workerBytes } from './worker-bytes.js'
import { DIRECTIONS, memberRegions, recordBytes, rowRegions, type ShardSizes } from './shard-sizes.js'
import { pipnnParameters } from './pipnn-parameters.js'

/** A reservoir stores a member's index in 20 bits. */
const MAX_MEMBERS = 2 ** 20

export const pipnnEngine: ShardEngine = {
  name: 'pipnn',
  overlap: 3,
  shardMembers: 12_288,
  build,
  workerBytes,
}

async function build(kernel: Kernel, shard: Shard, params: EngineParams): Promise<ShardGraph> {
  if (shard.count > MAX_MEMBERS) {
    throw new EngineError(
      'pipnn',
      `a shard of ${shard.count} members, the engine takes ${MAX_MEMBERS}; use smaller shards`,
    )
  }
  const mark = kernel.mark()
  try {
    return movedTo(kernel, mark, buildIn(kernel, shard, params))
  } catch (error) {
    kernel.release(mark)
    throw error
  }
}

/** Addresses of the arrays of a ShardGraph. */
interface PlacedGraph {
  readonly count: number
  readonly entries: number
  readonly offsets: number
  readonly neighbours: number
  readonly words: number
}

/** Moves the graph down to the mark, over the regions of the build, which it is smaller than, and releases the rest. */
function movedTo(kernel: Kernel, mark: number, { count, entries, ...from }: PlacedGraph): ShardGraph {
  kernel.release(mark)
  const moved = (at: number, words: number): Uint32Array => {
    const to = kernel.alloc(4 * words)
    kernel.u8(0, kernel.heldBytes).copyWithin(to, at, at + 4 * words)
    return kernel.u32(to, words)
  }
  // In the order of their addresses, so that none overwrites the next.
  const neighbours = moved(from.neighbours, entries)
  const distanceWords = moved(from.words, entries)
  return { offsets: moved(from.offsets, count + 1), neighbours, distanceWords }
}

function buildIn(kernel: Kernel, shard: Shard, { m, seed, quality, maxDegree }: EngineParams): PlacedGraph {
  const { count, gridDims, grid, kind } = shard
  const ops = typedOps(kernel, kind, gridDims)
  const parameters = pipnnParameters(quality, m)
  const sizes: ShardSizes = { count, gridDims, rowBytes: ops.rowBytes, degree: 2 * m }
  const words = randomWords(seed)
  const at = allocEach(kernel, memberRegions(sizes, parameters))
  const block = placeBlock(kernel, PIPNN_SHARD, {
    count,
    grid,
    gridDims,
    rowBytes: ops.rowBytes,
    norms: at.norms,
    records: at.records,
    recordBytes: recordBytes(parameters),
    capacity: parameters.reservoir,
    farCapacity: parameters.farReservoir,
    scratch: at.scratch,
  })
  const list = kernel.u32(at.list, count)
  for (let member = 0; member < count; member++) list[member] = member
  ops.norms(grid, count, at.norms)
  const directions =
    kind === 'i16' ? kernel.i16(at.directions, DIRECTIONS * gridDims) : kernel.f32(at.directions, DIRECTIONS * gridDims)
  fillDirections(directions, kind, gridDims, words)
  kernel.fn[`pipnnSketch${KIND_SUFFIX[kind]}`](block, at.directions)
  fillReservoirs(kernel, ops, { sizes, block, list: at.list, isFloat: kind === 'f32' }, parameters, words)
  return linkedRows(kernel, kind, sizes, block, maxDegree)
}

type Regions<R> = { readonly [Name in keyof R]: number }

function allocEach<R extends Readonly<Record<string, number>>>(kernel: Kernel, regions: R): Regions<R> {
  return Object.fromEntries(
    Object.entries(regions).map(([name, bytes]) => [name, kernel.alloc(bytes)]),
  ) as unknown as Regions<R>
}

/** Makes rows and links their parts. */
function linkedRows(
  kernel: Kernel,
  kind: Shard['kind'],
  sizes: ShardSizes,
  shard: Block<'PipnnShard'>,
  maxDegree: number,
): PlacedGraph {
  const { fn } = kernel
  const { count, degree } = sizes
  const { counts, neighbours, words, offsets, parents } = allocEach(kernel, rowRegions(sizes))
  const rows = placeBlock(kernel, PIPNN_ROWS, { count, degree, counts, neighbours, words })
  for (let from = 0; from < count; from += CALL_ROWS) {
    fn[`pipnnCandidates${KIND_SUFFIX[kind]}`](shard, rows, from, Math.min(count, from + CALL_ROWS))
  }
  fn[`pipnnJoin${KIND_SUFFIX[kind]}`](shard, rows, parents)
  const entries = fn.pipnnCompact(rows, maxDegree, offsets)
  return { count, entries, offsets, neighbours, words }
}
