import { crc32 } from '../../../spill/files/crc32.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches } from '../../../spill/read-batches.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { recordBytesOf, type RowKind } from '../../rows/record-layout.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'
import { CodeSketch } from './code-sketch.js'

/** Records of a shard as its queues hold them. */
export interface RecordShare {
  readonly input: readonly BatchRef<null>[]
  readonly rowKind: RowKind
}

/** Samples the distinct codes of one shard, and finds the code that most of its members have, if there is one. */
export interface SampleTask {
  readonly shares: readonly RecordShare[]
  readonly spec: GridSpec
  readonly wanted: number
  readonly seed: number
}

export interface SampleResult {
  /** Distinct codes in random order, at most `wanted`. */
  readonly codes: Uint8Array
  readonly count: number
  /** The code of more than half of the members. */
  readonly mass: { readonly code: Uint8Array; readonly members: number } | undefined
}

/** Rows encoded at a time. */
const CHUNK_ROWS = 256

/**
 * The sample is the codes with the smallest hashes (a bottom-k sketch): each distinct code is as likely as any other,
 * however many copies it has, and the order of the records does not matter. The mass is found by majority vote (Boyer
 * and Moore 1981) and counted in a second pass.
 */
export function sampleShard(kernel: Kernel, task: SampleTask): SampleResult {
  const { rowBytes } = gridOps(kernel, task.spec)
  const sketch = new CodeSketch(task.wanted, rowBytes, task.seed)
  const candidate = new Uint8Array(rowBytes)
  let candidateSum = -1
  let votes = 0
  let members = 0
  eachChunk(kernel, task, (codes, count) => {
    members += count
    for (let at = 0; at < count * rowBytes; at += rowBytes) {
      const code = codes.subarray(at, at + rowBytes)
      const sum = crc32(code)
      sketch.offer(codes, at, sum)
      if (votes > 0 && sum === candidateSum && Buffer.compare(code, candidate) === 0) votes++
      else if (votes > 0) votes--
      else {
        candidate.set(code)
        candidateSum = sum
        votes = 1
      }
    }
  })
  const same = votes > 0 ? copiesOf(kernel, task, candidate) : 0
  return { ...sketch.finish(), mass: 2 * same > members ? { code: candidate, members: same } : undefined }
}

/** How many members have this code. */
function copiesOf(kernel: Kernel, task: SampleTask, code: Uint8Array): number {
  // Rows are whole u32 words. Nearly all differ in the first one or the last.
  const words = new Uint32Array(code.buffer, code.byteOffset, code.length / 4)
  const last = words.length - 1
  let same = 0
  eachChunk(kernel, task, (codes, count) => {
    const rows = new Uint32Array(codes.buffer, codes.byteOffset, count * words.length)
    for (let at = 0; at < rows.length; at += words.length) {
      if (rows[at] !== words[0] || rows[at + last] !== words[last]) continue
      if (Buffer.compare(codes.subarray(4 * at, 4 * at + code.length), code) === 0) same++
    }
  })
  return same
}

/** Calls `visit` with the codes of a few members at a time, in kernel memory. */
function eachChunk(
  kernel: Kernel,
  { shares, spec }: SampleTask,
  visit: (codes: Uint8Array, count: number) => void,
): void {
  const ops = gridOps(kernel, spec)
  for (const { input, rowKind } of shares) {
    const mark = kernel.mark()
    const recordBytes = recordBytesOf(rowKind, spec)
    const rowBytes = recordBytes - 4
    const encode = gridEncoder(kernel, spec)
    const records = kernel.alloc(CHUNK_ROWS * recordBytes)
    const order = kernel.alloc(4 * CHUNK_ROWS)
    const rows = kernel.alloc(CHUNK_ROWS * rowBytes)
    const codes = rowKind === 'grid' ? rows : kernel.alloc(CHUNK_ROWS * ops.rowBytes)
    const every = kernel.u32(order, CHUNK_ROWS)
    for (let row = 0; row < CHUNK_ROWS; row++) every[row] = row
    for (const batch of readBatches<null>(input)) {
      for (let from = 0; from < batch.count; from += CHUNK_ROWS) {
        const count = Math.min(CHUNK_ROWS, batch.count - from)
        const bytes = batch.bytes.subarray(from * recordBytes, (from + count) * recordBytes)
        kernel.u8(records, bytes.length).set(bytes)
        kernel.fn.gatherRecords(records, count, rowBytes, order, rows)
        if (rowKind === 'vectors') encode(rows, count, codes)
        visit(kernel.u8(codes, count * ops.rowBytes), count)
      }
    }
    kernel.release(mark)
  }
}
