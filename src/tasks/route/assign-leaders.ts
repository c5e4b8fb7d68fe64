import type { Kernel } from '../../../kernel/kernel.js'
import { panelRows, type GridOps } from '../../rows/grid-ops.js'

/** Above this many leaders, routing goes through coarse leaders first, so that its cost stays near n log n. */
export const MAX_FLAT_LEADERS = 1000
/** Coarse cells searched per vector. */
const COARSE_PROBES = 4
/** Query rows per tile call. */
export const CHUNK_ROWS = 128
const NONE = 0xffffffff

/** The leaders of a layer. Plain data, because task descriptors contain it. */
export interface Leaders {
  /** Code rows, over a SharedArrayBuffer. */
  readonly codes: Uint8Array
  /** Added to every distance to the leader, in the unit of distances; whole numbers ≥ 0 for i16 codes. */
  readonly handicaps: Float64Array
  readonly count: number
}

/**
 * Fills `nearest[row * fanOut + i]`, u32 in kernel memory, with the i-th nearest leader of each code row. Up to 1,000
 * leaders are compared directly. Above that there are two levels: about √L coarse leaders, then the leaders of the
 * nearest few coarse cells. Each row is assigned independently: its leaders do not depend on other rows.
 */
export function assignLeaders(
  kernel: Kernel,
  ops: GridOps,
  rows: { codes: number; count: number },
  leaders: Leaders,
  fanOut: number,
  nearest: number,
): void {
  const mark = kernel.mark()
  if (leaders.count <= MAX_FLAT_LEADERS) assignFlat(kernel, ops, rows, leaders, fanOut, nearest)
  else assignTwoLevels(kernel, ops, rows, leaders, fanOut, nearest)
  kernel.release(mark)
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

function assignFlat(
  kernel: Kernel,
  ops: GridOps,
  rows: { codes: number; count: number },
  leaders: Leaders,
  fanOut: number,
  nearest: number,
): void {
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
}

/**
 * Every (L / √L)-th leader is a coarse leader; leaders are in random order. Each leader belongs to the cell of its
 * nearest coarse leader. The same leaders give the same cells in every task.
 */
function assignTwoLevels(
  kernel: Kernel,
  ops: GridOps,
  rows: { codes: number; count: number },
  leaders: Leaders,
  fanOut: number,
  nearest: number,
): void {
  const { rowBytes } = ops
  const coarseCount = Math.ceil(Math.sqrt(leaders.count))
  const step = Math.floor(leaders.count / coarseCount)
  const coarseCodes = new Uint8Array(coarseCount * rowBytes)
  for (let c = 0; c < coarseCount; c++) {
    coarseCodes.set(leaders.codes.subarray(c * step * rowBytes, (c * step + 1) * rowBytes), c * rowBytes)
  }
  const coarse: Leaders = { codes: coarseCodes, handicaps: new Float64Array(coarseCount), count: coarseCount }
  const leaderCodes = kernel.alloc(leaders.codes.length)
  kernel.u8(leaderCodes, leaders.codes.length).set(leaders.codes)
  const probes = Math.min(COARSE_PROBES, coarseCount)
  const cells = kernel.alloc(4 * leaders.count)
  const probedCells = kernel.alloc(4 * rows.count * probes)
  assignFlat(kernel, ops, { codes: leaderCodes, count: leaders.count }, coarse, 1, cells)
  assignFlat(kernel, ops, rows, coarse, probes, probedCells)
  const cellOf = kernel.u32(cells, leaders.count).slice()
  const probed = kernel.u32(probedCells, rows.count * probes).slice()

  const best = new Uint32Array(rows.count * fanOut).fill(NONE)
  const bestWords = new Uint32Array(rows.count * fanOut).fill(NONE)
  const gathered = kernel.alloc(CHUNK_ROWS * rowBytes)
  for (let cell = 0; cell < coarseCount; cell++) {
    const members = indexesOf(cellOf, (home) => home === cell)
    if (members.length === 0) continue
    const mark = kernel.mark()
    const memberCodes = new Uint8Array(members.length * rowBytes)
    members.forEach((leader, i) => {
      memberCodes.set(leaders.codes.subarray(leader * rowBytes, (leader + 1) * rowBytes), i * rowBytes)
    })
    const handicaps = Float64Array.from(members, (leader) => leaders.handicaps[leader])
    const targets = packLeaders(kernel, ops, { codes: memberCodes, handicaps, count: members.length })
    const norms = kernel.alloc(4 * CHUNK_ROWS)
    const distances = kernel.alloc(4 * CHUNK_ROWS * members.length)
    const visitors = rowsProbing(probed, probes, cell)
    for (let at = 0; at < visitors.length; at += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, visitors.length - at)
      for (let i = 0; i < count; i++) {
        const from = rows.codes + visitors[at + i] * rowBytes
        kernel.u8(gathered + i * rowBytes, rowBytes).set(kernel.u8(from, rowBytes))
      }
      ops.norms(gathered, count, norms)
      ops.distances({ rows: gathered, norms, count }, targets, distances, members.length)
      const words = kernel.u32(distances, count * members.length)
      for (let i = 0; i < count; i++) {
        for (let t = 0; t < members.length; t++) {
          insertNearest(best, bestWords, visitors[at + i] * fanOut, fanOut, members[t], words[i * members.length + t])
        }
      }
    }
    kernel.release(mark)
  }
  fillMissing(best, fanOut)
  kernel.u32(nearest, best.length).set(best)
}

function indexesOf(values: Uint32Array, matches: (value: number) => boolean): number[] {
  const indexes: number[] = []
  values.forEach((value, i) => {
    if (matches(value)) indexes.push(i)
  })
  return indexes
}

function rowsProbing(probed: Uint32Array, probes: number, cell: number): number[] {
  const rows: number[] = []
  for (let i = 0; i < probed.length; i++) if (probed[i] === cell) rows.push(Math.floor(i / probes))
  return rows
}

/** Keeps `fanOut` (word, leader) pairs ascending, ties by lower leader. Distance words compare as unsigned numbers. */
function insertNearest(
  best: Uint32Array,
  words: Uint32Array,
  at: number,
  fanOut: number,
  leader: number,
  word: number,
): void {
  let slot = at + fanOut
  while (slot > at && (word < words[slot - 1] || (word === words[slot - 1] && leader < best[slot - 1]))) slot--
  if (slot === at + fanOut) return
  best.copyWithin(slot + 1, slot, at + fanOut - 1)
  words.copyWithin(slot + 1, slot, at + fanOut - 1)
  best[slot] = leader
  words[slot] = word
}

/** A row that found fewer leaders than fanOut repeats its nearest one. Routing drops repeated shards. */
function fillMissing(best: Uint32Array, fanOut: number): void {
  for (let i = 0; i < best.length; i++) {
    if (best[i] !== NONE) continue
    // All probed cells are empty only when leaders coincide with their coarse leader. Any shard is right then.
    best[i] = i % fanOut === 0 ? 0 : best[i - (i % fanOut)]
  }
}
