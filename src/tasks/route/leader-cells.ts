import type { Kernel } from '../../../kernel/kernel.js'
import { panelRows } from '../../../kernel/panel-rows.js'
import type { GridOps } from '../../rows/grid-ops.js'
import { assignFlat, packLeaders } from './assign-flat.js'
import { MAX_FLAT_LEADERS, type LeaderCells, type Leaders } from './leaders.js'

/** Adds the cells to more leaders than are compared directly. */
export function withCells(kernel: Kernel, ops: GridOps, leaders: Leaders): Leaders {
  return leaders.count <= MAX_FLAT_LEADERS ? leaders : { ...leaders, cells: cellsOf(kernel, ops, leaders) }
}

/**
 * Every (L / √L)-th leader is a coarse leader; leaders are in random order. Each leader belongs to the cell of its
 * nearest coarse leader.
 */
export function cellsOf(kernel: Kernel, ops: GridOps, leaders: Leaders): LeaderCells {
  const { rowBytes } = ops
  const coarse = coarseOf(leaders, rowBytes)
  const mark = kernel.mark()
  const codes = kernel.alloc(leaders.codes.length)
  kernel.u8(codes, leaders.codes.length).set(leaders.codes)
  const cellAt = kernel.alloc(4 * leaders.count)
  assignFlat(kernel, ops, { codes, count: leaders.count }, coarse, 1, cellAt)
  const { starts, order } = byCell(kernel.u32(cellAt, leaders.count), coarse.count)
  kernel.release(mark)

  let rows = 0
  for (let cell = 0; cell < coarse.count; cell++) rows += panelRows(starts[cell + 1] - starts[cell])
  const panels = new Uint8Array(new SharedArrayBuffer(rows * rowBytes))
  const norms = sharedWords(leaders.count)
  for (let cell = 0, panelAt = 0; cell < coarse.count; cell++) {
    const members = order.subarray(starts[cell], starts[cell + 1])
    const packed = packLeaders(kernel, ops, someOf(leaders, members, rowBytes))
    const bytes = panelRows(members.length) * rowBytes
    panels.set(kernel.u8(packed.panels, bytes), panelAt)
    norms.set(kernel.u32(packed.norms, members.length), starts[cell])
    panelAt += bytes
    kernel.release(mark)
  }
  return { coarse, starts, leaders: order, panels, norms }
}

function coarseOf(leaders: Leaders, rowBytes: number): Leaders {
  const count = Math.ceil(Math.sqrt(leaders.count))
  const step = Math.floor(leaders.count / count)
  const some = Uint32Array.from({ length: count }, (_, i) => i * step)
  // Handicaps even out shards; a cell may be of any size.
  return { ...someOf(leaders, some, rowBytes), handicaps: new Float64Array(count) }
}

function someOf(leaders: Leaders, some: Uint32Array, rowBytes: number): Leaders {
  const codes = new Uint8Array(new SharedArrayBuffer(some.length * rowBytes))
  some.forEach((leader, i) => {
    codes.set(leaders.codes.subarray(leader * rowBytes, (leader + 1) * rowBytes), i * rowBytes)
  })
  return { codes, handicaps: Float64Array.from(some, (leader) => leaders.handicaps[leader]), count: some.length }
}

/** A counting sort. */
function byCell(cellOf: Uint32Array, cells: number): { starts: Uint32Array; order: Uint32Array } {
  const starts = sharedWords(cells + 1)
  for (const cell of cellOf) starts[cell + 1]++
  for (let cell = 0; cell < cells; cell++) starts[cell + 1] += starts[cell]
  const next = starts.slice()
  const order = sharedWords(cellOf.length)
  cellOf.forEach((cell, leader) => (order[next[cell]++] = leader))
  return { starts, order }
}

function sharedWords(count: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(4 * count))
}
