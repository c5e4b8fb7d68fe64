import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches, type BatchRef } from '../../../spill/index.js'
import type { CodeSpec } from '../code-spec.js'
import { recordBytesOf, rowBytesOf, type ColumnHeader, type RowKind } from '../layer-records.js'
import { assignLeaders, type Leaders } from './assign-leaders.js'
import { codeOps } from './code-ops.js'

/** Sends some batches of vectors to their shards. */
export interface RouteTask {
  readonly input: readonly BatchRef<ColumnHeader>[]
  readonly rowKind: RowKind
  readonly rowCount: number
  readonly spec: CodeSpec
  readonly leaders: Leaders
  /** Shards a vector goes to: home and replicas. */
  readonly overlap: number
  /** One bit per ordinal that is left out (a repeated id), or undefined. */
  readonly dropped: Uint8Array | undefined
  /** Where the records go: home records shard by shard, then replica records shard by shard. */
  readonly output: Uint8Array
}

export interface RouteResult {
  /** Home records per shard, then replica records per shard: 2 x leaders counts, in the order of the output. */
  readonly counts: Uint32Array
  readonly clamped: number
}

/** Bytes the output of one route task needs at most. */
export function routeOutputBytes(rowCount: number, rowKind: RowKind, spec: CodeSpec, overlap: number): number {
  return rowCount * (recordBytesOf(rowKind, spec) + (overlap - 1) * recordBytesOf('codes', spec))
}

/** Distance of every vector to every leader (tile kernel); home copy to the nearest, code copies to the next ones. */
export function routeVectors(kernel: Kernel, task: RouteTask): RouteResult {
  const { spec, leaders, overlap, rowKind } = task
  const ops = codeOps(kernel, spec)
  const rowBytes = rowBytesOf(rowKind, spec)
  const codes = kernel.alloc(task.rowCount * ops.rowBytes)
  const rows = rowKind === 'vectors' ? kernel.alloc(task.rowCount * rowBytes) : codes
  const ordinals = new Uint32Array(task.rowCount)
  const count = loadRows(kernel, task, rows, rowBytes, ordinals)

  let clamped = 0
  if (rowKind === 'vectors') {
    const mean = kernel.alloc(4 * spec.codeDims)
    kernel.f32(mean, spec.codeDims).set(spec.mean)
    clamped = ops.encode(rows, count, mean, codes)
  }
  const nearest = assignLeaders(kernel, ops, { codes, count }, leaders, overlap)
  const counts = countRecords(nearest, count, overlap, leaders.count)
  writeRecords(task, counts, nearest, {
    count,
    ordinals,
    rows: kernel.u8(rows, count * rowBytes),
    rowBytes,
    codes: kernel.u8(codes, count * ops.rowBytes),
    codeBytes: ops.rowBytes,
  })
  return { counts, clamped }
}

/** Copies the rows that are not dropped side by side into kernel memory. */
function loadRows(kernel: Kernel, task: RouteTask, rows: number, rowBytes: number, ordinals: Uint32Array): number {
  const { dropped } = task
  let count = 0
  for (const batch of readBatches<ColumnHeader>(task.input)) {
    const { capacity } = batch.header
    const column = new Uint32Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.count)
    const rowColumn = batch.bytes.subarray(4 * capacity, 4 * capacity + batch.count * rowBytes)
    if (dropped === undefined) {
      ordinals.set(column, count)
      kernel.u8(rows + count * rowBytes, rowColumn.length).set(rowColumn)
      count += batch.count
      continue
    }
    for (let i = 0; i < batch.count; i++) {
      const ordinal = column[i]
      if ((dropped[ordinal >>> 3] & (1 << (ordinal & 7))) !== 0) continue
      ordinals[count] = ordinal
      kernel.u8(rows + count * rowBytes, rowBytes).set(rowColumn.subarray(i * rowBytes, (i + 1) * rowBytes))
      count++
    }
  }
  return count
}

/** A vector whose i-th leader repeats an earlier one goes there once. */
function isRepeat(nearest: Uint32Array, at: number, i: number): boolean {
  for (let j = 0; j < i; j++) if (nearest[at + j] === nearest[at + i]) return true
  return false
}

function countRecords(nearest: Uint32Array, count: number, overlap: number, leaderCount: number): Uint32Array {
  const counts = new Uint32Array(2 * leaderCount)
  for (let row = 0; row < count; row++) {
    counts[nearest[row * overlap]]++
    for (let i = 1; i < overlap; i++) {
      if (!isRepeat(nearest, row * overlap, i)) counts[leaderCount + nearest[row * overlap + i]]++
    }
  }
  return counts
}

interface LoadedRows {
  readonly count: number
  readonly ordinals: Uint32Array
  readonly rows: Uint8Array
  readonly rowBytes: number
  readonly codes: Uint8Array
  readonly codeBytes: number
}

function writeRecords(task: RouteTask, counts: Uint32Array, nearest: Uint32Array, loaded: LoadedRows): void {
  const { overlap, output, leaders } = task
  const { rowBytes, codeBytes } = loaded
  const offsets = new Float64Array(counts.length)
  let at = 0
  for (let partition = 0; partition < counts.length; partition++) {
    offsets[partition] = at
    at += counts[partition] * (4 + (partition < leaders.count ? rowBytes : codeBytes))
  }
  const words = new DataView(output.buffer, output.byteOffset, output.byteLength)
  const put = (partition: number, ordinal: number, bytes: Uint8Array, from: number, length: number): void => {
    const offset = offsets[partition]
    words.setUint32(offset, ordinal, true)
    output.set(bytes.subarray(from, from + length), offset + 4)
    offsets[partition] = offset + 4 + length
  }
  for (let row = 0; row < loaded.count; row++) {
    const ordinal = loaded.ordinals[row]
    put(nearest[row * overlap], ordinal, loaded.rows, row * rowBytes, rowBytes)
    for (let i = 1; i < overlap; i++) {
      if (isRepeat(nearest, row * overlap, i)) continue
      put(leaders.count + nearest[row * overlap + i], ordinal, loaded.codes, row * codeBytes, codeBytes)
    }
  }
}
