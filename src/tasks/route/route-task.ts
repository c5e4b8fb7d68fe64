import { placeBlock } from '../../../kernel/block.js'
import { ROUTE_RECORDS } from '../../../kernel/blocks.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { PANEL_ROWS } from '../../../kernel/panel-rows.js'
import { readBatches } from '../../../spill/read-batches.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { recordBytesOf, rowBytesOf, type ColumnHeader, type RowKind } from '../../rows/record-layout.js'
import { hashOrdinal, SALT_SPLIT } from '../../rows/hash-ordinal.js'
import { assignLeaderBytes, assignLeaders, assignRowBytes } from './assign-leaders.js'
import { MAX_FLAT_LEADERS, type Leaders } from './leaders.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'
import type { BuildSizes } from '../../plan/stage-memory.js'

/** Sends some batches of vectors to their shards. */
export interface RouteTask {
  /** Columns, as ingest pushes them, or records (without header) when a shard is routed again. */
  readonly input: readonly BatchRef<ColumnHeader | null>[]
  readonly rowKind: RowKind
  readonly rowCount: number
  readonly spec: GridSpec
  readonly leaders: Leaders
  /** Shards a vector goes to: home and replicas. */
  readonly overlap: number
  /**
   * Every `step`-th row (by hash of its ordinal) keeps all its targets, the others only the nearest. Absent: all do.
   */
  readonly sparse?: { readonly step: number; readonly seed: number }
  /** A set bit marks an ordinal that is left out (a repeated id); undefined when there is none. */
  readonly dropped: Uint8Array | undefined
  /** Where the records go: home records shard by shard, then replica records shard by shard. */
  readonly output: Uint8Array
}

export interface RouteResult {
  /** Home records per shard, then replica records per shard: 2 x leaders counts, in the order of the output. */
  readonly counts: Uint32Array
  readonly clamped: number
  readonly outputBytes: number
}

/** The most bytes that the output of one route task needs. */
export function routeOutputBytes(rowCount: number, rowKind: RowKind, spec: GridSpec, overlap: number): number {
  return rowCount * (recordBytesOf(rowKind, spec) + (overlap - 1) * recordBytesOf('grid', spec))
}

/** Sends each vector to its nearest leader, and its code to the next ones. The tile kernel computes the distances. */
export function routeVectors(kernel: Kernel, task: RouteTask): RouteResult {
  const { leaders, overlap, sparse } = task
  const loaded = loadEncoded(kernel, task)
  const nearest = kernel.alloc(4 * loaded.count * overlap)
  assignLeaders(kernel, gridOps(kernel, task.spec), loaded, leaders, overlap, nearest)
  if (sparse !== undefined) {
    const targets = kernel.u32(nearest, loaded.count * overlap)
    const ordinals = kernel.u32(loaded.ordinals, loaded.count)
    // A target that repeats the first sends no second record.
    for (let at = 0, row = 0; row < loaded.count; at += overlap, row++) {
      if (hashOrdinal(sparse.seed, SALT_SPLIT, ordinals[row]) % sparse.step === 0) continue
      targets.fill(targets[at], at + 1, at + overlap)
    }
  }
  return { ...sendRows(kernel, task, loaded, { nearest, overlap, count: leaders.count }), clamped: loaded.clamped }
}

/** Rows of a task, their codes and their ordinals, at addresses in kernel memory. */
export interface EncodedRows {
  readonly count: number
  readonly ordinals: number
  readonly rows: number
  /** The same address as `rows` when the rows are codes. */
  readonly codes: number
  readonly clamped: number
}

type LoadTask = Pick<RouteTask, 'input' | 'rowKind' | 'rowCount' | 'spec' | 'dropped'>

export function loadEncoded(kernel: Kernel, task: LoadTask): EncodedRows {
  const { spec, rowKind } = task
  const ops = gridOps(kernel, spec)
  const rowBytes = rowBytesOf(rowKind, spec)
  const ordinals = kernel.alloc(4 * task.rowCount)
  const codes = kernel.alloc(task.rowCount * ops.rowBytes)
  const rows = rowKind === 'vectors' ? kernel.alloc(task.rowCount * rowBytes) : codes
  const count = loadRows(kernel, task, rows, rowBytes, ordinals)
  if (rowKind === 'grid') return { count, ordinals, rows, codes, clamped: 0 }
  const encode = gridEncoder(kernel, spec)
  return { count, ordinals, rows, codes, clamped: encode(rows, count, codes) }
}

/**
 * Where rows go. `nearest` is the address of `overlap` targets per row. The first target gets the row, the next ones
 * its code.
 */
export interface RowTargets {
  readonly nearest: number
  readonly overlap: number
  readonly count: number
}

/** Writes the records to the output. The result is as in RouteResult. */
export function sendRows(
  kernel: Kernel,
  { rowKind, spec, output }: Pick<RouteTask, 'rowKind' | 'spec' | 'output'>,
  loaded: EncodedRows,
  targets: RowTargets,
): Omit<RouteResult, 'clamped'> {
  const counts = kernel.alloc(8 * targets.count)
  const offsets = kernel.alloc(8 * targets.count)
  const out = kernel.alloc(routeOutputBytes(loaded.count, rowKind, spec, targets.overlap))
  const route = placeBlock(kernel, ROUTE_RECORDS, {
    nearest: targets.nearest,
    count: loaded.count,
    overlap: targets.overlap,
    leaders: targets.count,
    ordinals: loaded.ordinals,
    rows: loaded.rows,
    rowBytes: rowBytesOf(rowKind, spec),
    grid: loaded.codes,
    gridBytes: rowBytesOf('grid', spec),
    counts,
    offsets,
    out,
  })
  const bytes = kernel.fn.routeRecords(route)
  output.set(kernel.u8(out, bytes))
  return { counts: kernel.u32(counts, 2 * targets.count).slice(), outputBytes: bytes }
}

/** Copies the rows that are not dropped, and their ordinals, contiguously into kernel memory. */
function loadRows(kernel: Kernel, task: LoadTask, rows: number, rowBytes: number, ordinalsAt: number): number {
  const { dropped, rowCount } = task
  const ordinals = kernel.u32(ordinalsAt, rowCount)
  const into = kernel.u8(rows, rowCount * rowBytes)
  let count = 0
  for (const batch of readBatches<ColumnHeader | null>(task.input)) {
    if (batch.header === null) {
      const words = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
      for (let i = 0, at = 0; i < batch.count; i++, at += 4 + rowBytes) {
        ordinals[count + i] = words.getUint32(at, true)
        into.set(batch.bytes.subarray(at + 4, at + 4 + rowBytes), (count + i) * rowBytes)
      }
      count += batch.count
      continue
    }
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

/** Bytes of batches in one route task. */
export const ROUTE_TASK_BYTES = 2 * 2 ** 20

/** Memory and output of one route task: the leaders, its rows, their grid rows and records. */
export function routeTaskMemory(sizes: BuildSizes): { readonly task: number; readonly output: number } {
  const { vectorBytes, gridRowBytes, geometry } = sizes
  const { shardCount, overlap } = geometry
  const rows = ROUTE_TASK_BYTES / vectorBytes
  const output = rows * (vectorBytes + 4 + (overlap - 1) * (gridRowBytes + 4))
  const ordinalAndTargets = 4 + 4 * overlap
  const rowBytes = vectorBytes + gridRowBytes + ordinalAndTargets + assignRowBytes(shardCount, overlap)
  const counts = 16 * shardCount
  return { task: rows * rowBytes + output + assignLeaderBytes(shardCount, gridRowBytes) + counts, output }
}

/** Bytes of the leaders of a layer, unpacked and packed, with three words and a handicap each; each cell is padded. */
export function leaderBytes({ geometry, gridRowBytes }: BuildSizes): number {
  const { shardCount } = geometry
  const cells = shardCount <= MAX_FLAT_LEADERS ? 1 : Math.ceil(Math.sqrt(shardCount))
  return shardCount * (2 * gridRowBytes + 20) + cells * (PANEL_ROWS - 1) * gridRowBytes
}
