/**
 * Recomputes a sample of what the wide tile computes, in plain JavaScript, and compares bit for bit: V8's flag for it
 * is an experiment. A check at the start would check nothing, because functions are optimised only after they ran for
 * a while, so it goes on through the whole build.
 */
import { MiscompiledError } from '../src/errors.js'
import type { Kernel } from './kernel.js'
import { PANEL_ROWS } from './panel-rows.js'
import type { GridKind, PackedRows, QueryRows } from './tile-rows.js'

/** Multiply-adds for each pair that is checked: 0.2 ms of the tile. A pair takes 1 ns a dimension, so below 0.5%. */
const WORK_PER_CHECK = 2 ** 24
/** Packed rows for each that is checked: it takes as long as packing about 8. */
const ROWS_PER_CHECK = 4096
/** Odd and far from every size: successive samples fall on all places of a matrix. */
const SPREAD = 2654435761

export interface TileCheck {
  /** @throws MiscompiledError */
  distances(queries: QueryRows, targets: PackedRows, out: number, stride: number): void
  /** @throws MiscompiledError */
  pack(rows: number, count: number, out: number): void
}

// Of a thread, not of a task: most tasks are too short for a sample. The first call is checked.
let workLeft = 0
let rowsLeft = 0
let samples = 0

export function tileCheck(kernel: Kernel, kind: GridKind, gridDims: number): TileCheck {
  const words = kind === 'i16' ? gridDims / 2 : gridDims
  const fail = (what: string, got: number, expected: number): never => {
    throw new MiscompiledError({ what, kind, gridDims, got, expected, v8: process.versions.v8 })
  }
  return {
    distances: (queries, targets, out, stride) => {
      const pairs = queries.count * targets.count
      workLeft -= pairs * gridDims
      if (workLeft > 0 || pairs === 0) return
      workLeft = WORK_PER_CHECK
      const pair = sample(pairs)
      const [q, t] = [Math.floor(pair / targets.count), pair % targets.count]
      const row = rowView(kernel, kind, queries.rows + 4 * words * q, gridDims)
      const packed = rowView(kernel, kind, targets.panels, gridDims * PANEL_ROWS * (1 + Math.floor(t / PANEL_ROWS)))
      const distance = kind === 'i16' ? distanceI16 : distanceF32
      const view = (at: number): number => (kind === 'i16' ? kernel.i32(at, 1) : kernel.f32(at, 1))[0]
      const expected = distance(row, packed, t, view(queries.norms + 4 * q), view(targets.norms + 4 * t))
      const got = view(out + 4 * (q * stride + t))
      const matrix = `${queries.count} x ${targets.count}`
      if (!Object.is(got, expected)) fail(`the distance of pair (${q}, ${t}) of ${matrix}`, got, expected)
    },
    pack: (rows, count, out) => {
      rowsLeft -= count
      if (rowsLeft > 0 || count === 0) return
      rowsLeft = ROWS_PER_CHECK
      const r = sample(count)
      const row = kernel.u32(rows + 4 * words * r, words)
      const panel = kernel.u32(out + 4 * words * (r - (r % PANEL_ROWS)), words * PANEL_ROWS)
      for (let w = 0; w < words; w++) {
        const got = panel[w * PANEL_ROWS + (r % PANEL_ROWS)]
        if (got !== row[w]) fail(`word ${w} of packed row ${r} of ${count}`, got, row[w])
      }
    },
  }
}

function sample(count: number): number {
  samples = (samples + SPREAD) % 2 ** 32
  return samples % count
}

function rowView(kernel: Kernel, kind: GridKind, at: number, components: number): Int16Array | Float32Array {
  return kind === 'i16' ? kernel.i16(at, components) : kernel.f32(at, components)
}

/** The address of a packed row's word, in components: kernel/assembly/distance/pack.ts. */
function wordAt(t: number, word: number, perWord: number, gridDims: number): number {
  const panel = Math.floor(t / PANEL_ROWS)
  return panel * PANEL_ROWS * gridDims + (word * PANEL_ROWS + (t % PANEL_ROWS)) * perWord
}

/** Every sum wraps as an i32. */
function distanceI16(
  row: ArrayLike<number>,
  packed: ArrayLike<number>,
  t: number,
  qNorm: number,
  tNorm: number,
): number {
  let dot = 0
  for (let d = 0; d < row.length; d += 2) {
    const at = wordAt(t, d / 2, 2, row.length)
    dot = (dot + row[d] * packed[at] + row[d + 1] * packed[at + 1]) | 0
  }
  return (qNorm + tNorm - 2 * dot) | 0
}

/** Every step rounds to f32, in the order of the tile. */
function distanceF32(
  row: ArrayLike<number>,
  packed: ArrayLike<number>,
  t: number,
  qNorm: number,
  tNorm: number,
): number {
  let dot = 0
  for (let d = 0; d < row.length; d++) {
    dot = Math.fround(dot + Math.fround(row[d] * packed[wordAt(t, d, 1, row.length)]))
  }
  const value = Math.fround(Math.fround(qNorm + tNorm) - Math.fround(dot + dot))
  return value < 0 ? 0 : value
}
