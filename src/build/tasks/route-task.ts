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
  const ordinals = kernel.alloc(4 * task.rowCount)
  const codes = kernel.alloc(task.rowCount * ops.rowBytes)
  const rows = rowKind === 'vectors' ? kernel.alloc(task.rowCount * rowBytes) : codes
  const count = loadRows(kernel, task, rows, rowBytes, ordinals)

  let clamped = 0
  if (rowKind === 'vectors') {
    const mean = kernel.alloc(4 * spec.codeDims)
    kernel.f32(mean, spec.codeDims).set(spec.mean)
    clamped = ops.encode(rows, count, mean, codes)
  }
  const nearest = kernel.alloc(4 * count * overlap)
  assignLeaders(kernel, ops, { codes, count }, leaders, overlap, nearest)
  const counts = kernel.alloc(8 * leaders.count)
  const offsets = kernel.alloc(8 * leaders.count)
  const out = kernel.alloc(routeOutputBytes(count, rowKind, spec, overlap))
  const bytes = kernel.fn.routeRecords(
    nearest,
    count,
    overlap,
    leaders.count,
    ordinals,
    rows,
    rowBytes,
    codes,
    ops.rowBytes,
    counts,
    offsets,
    out,
  )
  task.output.set(kernel.u8(out, bytes))
  return { counts: kernel.u32(counts, 2 * leaders.count).slice(), clamped }
}

/** Copies the rows that are not dropped side by side into kernel memory, their ordinals too. */
function loadRows(kernel: Kernel, task: RouteTask, rows: number, rowBytes: number, ordinalsAt: number): number {
  const { dropped, rowCount } = task
  const ordinals = kernel.u32(ordinalsAt, rowCount)
  const into = kernel.u8(rows, rowCount * rowBytes)
  let count = 0
  for (const batch of readBatches<ColumnHeader>(task.input)) {
    const { capacity } = batch.header
    const column = new Uint32Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.count)
    const rowColumn = batch.bytes.subarray(4 * capacity, 4 * capacity + batch.count * rowBytes)
    if (dropped === undefined) {
      ordinals.set(column, count)
      into.set(rowColumn, count * rowBytes)
      count += batch.count
      continue
    }
    for (let i = 0; i < batch.count; i++) {
      const ordinal = column[i]
      if ((dropped[ordinal >>> 3] & (1 << (ordinal & 7))) !== 0) continue
      ordinals[count] = ordinal
      into.set(rowColumn.subarray(i * rowBytes, (i + 1) * rowBytes), count * rowBytes)
      count++
    }
  }
  return count
}
