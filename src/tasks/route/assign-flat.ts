import type { Kernel } from '../../../kernel/kernel.js'
import { panelRows } from '../../../kernel/panel-rows.js'
import type { GridOps } from '../../rows/grid-ops.js'
import type { Leaders } from './leaders.js'

/** Query rows per tile call. */
export const CHUNK_ROWS = 128

/** Code rows in kernel memory. */
export interface CodeRows {
  readonly codes: number
  readonly count: number
}

/** Leader codes packed for the tile kernel, with their norms. */
export interface Targets {
  readonly panels: number
  readonly norms: number
  readonly count: number
}

/**
 * Packs the leaders for the tile kernel. The handicap is part of the norm: the tile adds norms to its products, so it
 * costs nothing.
 */
export function packLeaders(kernel: Kernel, ops: GridOps, leaders: Leaders): Targets {
  const { codes, handicaps, count } = leaders
  const panels = kernel.alloc(panelRows(count) * ops.rowBytes)
  const norms = kernel.alloc(4 * count)
  const mark = kernel.mark()
  const plain = kernel.alloc(codes.length)
  kernel.u8(plain, codes.length).set(codes)
  ops.pack(plain, count, panels)
  ops.norms(plain, count, norms)
  ops.addToNorms(norms, handicaps)
  kernel.release(mark)
  return { panels, norms, count }
}

/** Compares each row with each leader. Fills `nearest[row * fanOut + i]` with the i-th nearest. */
export function assignFlat(
  kernel: Kernel,
  ops: GridOps,
  rows: CodeRows,
  leaders: Leaders,
  fanOut: number,
  nearest: number,
): void {
  const mark = kernel.mark()
  const targets = packLeaders(kernel, ops, leaders)
  const norms = kernel.alloc(4 * CHUNK_ROWS)
  const distances = kernel.alloc(4 * CHUNK_ROWS * leaders.count)
  const scratch = kernel.alloc(4 * fanOut)
  for (let at = 0; at < rows.count; at += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows.count - at)
    const codes = rows.codes + at * ops.rowBytes
    ops.norms(codes, count, norms)
    ops.distances({ rows: codes, norms, count }, targets, distances, leaders.count)
    kernel.fn.pipnnNearestBalls(distances, count, leaders.count, fanOut, nearest + 4 * at * fanOut, scratch)
  }
  kernel.release(mark)
}
