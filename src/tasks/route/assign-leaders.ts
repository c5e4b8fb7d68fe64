import type { Kernel } from '../../../kernel/kernel.js'
import { PANEL_ROWS, panelRows } from '../../../kernel/panel-rows.js'
import type { GridOps } from '../../rows/grid-ops.js'
import { assignFlat, CHUNK_ROWS, type CodeRows } from './assign-flat.js'
import { MAX_FLAT_LEADERS, type LeaderCells, type Leaders } from './leaders.js'

/** Coarse cells searched per vector. */
const COARSE_PROBES = 4
/** Leaders of a cell that are compared at a time, whole panels: no more memory than for the most compared directly. */
const SLICE_LEADERS = MAX_FLAT_LEADERS - (MAX_FLAT_LEADERS % PANEL_ROWS)

/**
 * Fills `nearest[row * fanOut + i]`, u32 in kernel memory, with the i-th nearest leader of each code row. Leaders without
 * cells are compared directly. With cells there are two levels: the coarse leaders, then the leaders of the nearest few
 * cells. Each row is assigned independently: its leaders do not depend on other rows.
 */
export function assignLeaders(
  kernel: Kernel,
  ops: GridOps,
  rows: CodeRows,
  leaders: Leaders,
  fanOut: number,
  nearest: number,
): void {
  if (leaders.cells === undefined) assignFlat(kernel, ops, rows, leaders, fanOut, nearest)
  else assignByCells(kernel, ops, rows, leaders.cells, fanOut, nearest)
}

/** Bytes that `assignLeaders` takes for each row, beyond `nearest`. */
export function assignRowBytes(leaderCount: number, fanOut: number): number {
  return leaderCount <= MAX_FLAT_LEADERS ? 0 : 4 + 4 + 8 * COARSE_PROBES + 8 * fanOut
}

/** Bytes that `assignLeaders` takes for leaders and their distances: unpacked and packed, or a slice of a cell. */
export function assignLeaderBytes(leaderCount: number, gridRowBytes: number): number {
  const compared = Math.min(leaderCount, MAX_FLAT_LEADERS)
  return compared * (2 * gridRowBytes + 4 * CHUNK_ROWS) + 2 * CHUNK_ROWS * gridRowBytes
}

/** Rows grouped by the cells that they probe. */
interface Visits {
  /** u32: rows cell by cell, ascending in each. */
  readonly rows: number
  /** Where the rows of each cell begin, then the end. */
  readonly starts: Uint32Array
}

/**
 * Cell after cell: the rows that probe it are gathered, and the tile compares them with its leaders. A row's list of
 * nearest leaders is the same in whatever order its cells come.
 */
function assignByCells(
  kernel: Kernel,
  ops: GridOps,
  rows: CodeRows,
  cells: LeaderCells,
  fanOut: number,
  nearest: number,
): void {
  const { fn } = kernel
  const { rowBytes } = ops
  const { starts, coarse } = cells
  const mark = kernel.mark()
  const visits = visitsOf(kernel, ops, rows, coarse)
  const rowNorms = kernel.alloc(4 * rows.count)
  ops.norms(rows.codes, rows.count, rowNorms)
  const best = kernel.alloc(8 * rows.count * fanOut)
  kernel.u8(best, 8 * rows.count * fanOut).fill(0xff)

  const most = Math.min(SLICE_LEADERS, cells.leaders.length)
  const leaders = kernel.alloc(4 * most)
  const targets = { panels: kernel.alloc(panelRows(most) * rowBytes), norms: kernel.alloc(4 * most) }
  const queries = { rows: kernel.alloc(CHUNK_ROWS * rowBytes), norms: kernel.alloc(4 * CHUNK_ROWS) }
  const distances = kernel.alloc(4 * CHUNK_ROWS * most)
  for (let cell = 0, panelAt = 0; cell < coarse.count; cell++) {
    for (let first = starts[cell]; first < starts[cell + 1]; first += SLICE_LEADERS) {
      const slice = Math.min(SLICE_LEADERS, starts[cell + 1] - first)
      const panels = cells.panels.subarray(panelAt, panelAt + panelRows(slice) * rowBytes)
      panelAt += panels.length
      if (visits.starts[cell] === visits.starts[cell + 1]) continue
      kernel.u8(targets.panels, panels.length).set(panels)
      kernel.u32(targets.norms, slice).set(cells.norms.subarray(first, first + slice))
      kernel.u32(leaders, slice).set(cells.leaders.subarray(first, first + slice))
      for (let at = visits.starts[cell]; at < visits.starts[cell + 1]; at += CHUNK_ROWS) {
        const count = Math.min(CHUNK_ROWS, visits.starts[cell + 1] - at)
        const list = visits.rows + 4 * at
        fn.probeGather(rows.codes, rowNorms, rowBytes, list, count, queries.rows, queries.norms)
        ops.distances({ ...queries, count }, { ...targets, count: slice }, distances, slice)
        fn.probeKeep(distances, list, count, leaders, slice, fanOut, best)
      }
    }
  }
  fn.probeFinish(best, rows.count, fanOut, nearest)
  kernel.release(mark)
}

function visitsOf(kernel: Kernel, ops: GridOps, rows: CodeRows, coarse: Leaders): Visits {
  const probes = Math.min(COARSE_PROBES, coarse.count)
  const visitors = kernel.alloc(4 * rows.count * probes)
  const startsAt = kernel.alloc(4 * (coarse.count + 1))
  const mark = kernel.mark()
  const probed = kernel.alloc(4 * rows.count * probes)
  assignFlat(kernel, ops, rows, coarse, probes, probed)
  const list = kernel.alloc(4 * rows.count)
  const every = kernel.u32(list, rows.count)
  for (let row = 0; row < rows.count; row++) every[row] = row
  kernel.fn.pipnnScatter(list, rows.count, probes, probed, coarse.count, startsAt, visitors)
  kernel.release(mark)
  return { rows: visitors, starts: kernel.u32(startsAt, coarse.count + 1).slice() }
}
