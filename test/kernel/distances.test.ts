import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { panelRows } from '../../kernel/panel-rows.js'
import { FLAVOURS, f32Rows, i16Rows, place, withArena } from '../fixtures/samples.js'
import { dotTwin, l2IntegerTwin, l2Twin, packTwin, sequentialDotTwin, tileL2Twin } from './twins.js'

const kernel = Kernel.create()
const UNWRITTEN = 0x55555555

// Around the tiles' 4, 8 and 16, and up to several panels.
const queryCounts = fc.integer({ min: 0, max: 11 })
const targetCounts = fc.integer({ min: 0, max: 35 })
const gridDimsOf = fc.integer({ min: 0, max: 20 }).map((eights) => eights * 8)
const flavours = fc.constantFrom(...FLAVOURS)
const seeds = fc.integer({ min: 0, max: 1e6 })
// One seed for both sides: `close` and `repeated` rows have the same origin, the worst case for cancellation.
const matrices = fc.record({
  seed: seeds,
  queryFlavour: flavours,
  targetFlavour: flavours,
  queryCount: queryCounts,
  targetCount: targetCounts,
  gridDims: gridDimsOf,
  extraStride: fc.integer({ min: 0, max: 3 }),
})

type Kind = 'I16' | 'F32'
type Tile = 'distances' | 'distancesWide'
const TILES = ['distances', 'distancesWide'] as const
const emptyOf = { I16: () => new Int16Array(0), F32: () => new Float32Array(0) }

/** The whole output block, row padding included, as u32 words. */
function distanceWords(
  tile: Tile,
  kind: Kind,
  queries: readonly (Int16Array | Float32Array)[],
  targets: readonly (Int16Array | Float32Array)[],
  gridDims: number,
  outStride: number,
): Uint32Array {
  return withArena(kernel, () => {
    const q = place(kernel, queries.length > 0 ? queries : [emptyOf[kind]()])
    const t = place(kernel, targets.length > 0 ? targets : [emptyOf[kind]()])
    const queryNorms = kernel.alloc(queries.length * 4)
    const targetNorms = kernel.alloc(targets.length * 4)
    const panels = kernel.alloc(panelRows(targets.length) * gridDims * (kind === 'I16' ? 2 : 4))
    const words = queries.length * outStride
    const out = kernel.alloc(words * 4)
    kernel.u32(out, words).fill(UNWRITTEN)
    kernel.fn[`norms${kind}`](q, queries.length, gridDims, queryNorms)
    kernel.fn[`norms${kind}`](t, targets.length, gridDims, targetNorms)
    kernel.fn[`pack${kind}`](t, targets.length, gridDims, panels)
    kernel.fn[`${tile}${kind}`](
      q,
      queryNorms,
      queries.length,
      panels,
      targetNorms,
      targets.length,
      gridDims,
      out,
      outStride,
    )
    return kernel.u32(out, words).slice()
  })
}

/** The expected block: the pairs' values, and nothing written between the rows. */
function expectedWords<Row>(
  queries: readonly Row[],
  targets: readonly Row[],
  outStride: number,
  wordOf: (query: Row, target: Row) => number,
): Uint32Array {
  const words = new Uint32Array(queries.length * outStride).fill(UNWRITTEN)
  queries.forEach((query, q) => targets.forEach((target, t) => (words[q * outStride + t] = wordOf(query, target))))
  return words
}

const f32Word = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]

describe('norms', () => {
  it('are exact for i16', () => {
    fc.assert(
      fc.property(seeds, flavours, queryCounts, gridDimsOf, (seed, flavour, count, gridDims) => {
        const rows = i16Rows(seed, flavour, count, gridDims)
        const zero = new Int16Array(gridDims)
        const got = withArena(kernel, () => {
          const at = place(kernel, rows)
          const out = kernel.alloc(count * 4)
          kernel.fn.normsI16(at, count, gridDims, out)
          return Array.from(kernel.i32(out, count))
        })
        expect(got).toEqual(rows.map((row) => l2IntegerTwin(row, zero)))
      }),
    )
  })

  it('add products one after the other for f32, in every row', () => {
    fc.assert(
      fc.property(seeds, flavours, queryCounts, gridDimsOf, (seed, flavour, count, gridDims) => {
        const rows = f32Rows(seed, flavour, count, gridDims)
        const got = withArena(kernel, () => {
          const at = place(kernel, rows)
          const out = kernel.alloc(count * 4)
          kernel.fn.normsF32(at, count, gridDims, out)
          return Array.from(kernel.f32(out, count))
        })
        expect(got).toEqual(rows.map((row) => sequentialDotTwin(row, row)))
      }),
    )
  })
})

describe('pack', () => {
  it.each(['I16', 'F32'] as const)('%s interleaves the words of sixteen rows and pads with zeros', (kind) => {
    fc.assert(
      fc.property(seeds, targetCounts, gridDimsOf, (seed, count, gridDims) => {
        const wordsPerRow = kind === 'I16' ? gridDims / 2 : gridDims
        const rows =
          kind === 'I16' ? i16Rows(seed, 'random', count, gridDims) : f32Rows(seed, 'random', count, gridDims)
        withArena(kernel, () => {
          const at = place(kernel, rows)
          const outWords = panelRows(count) * wordsPerRow
          const out = kernel.alloc(outWords * 4 + 16)
          kernel.u32(out, outWords + 4).fill(UNWRITTEN)
          kernel.fn[`pack${kind}`](at, count, gridDims, out)
          expect(kernel.u32(out, outWords)).toEqual(packTwin(kernel.u32(at, count * wordsPerRow), count, wordsPerRow))
          expect(Array.from(kernel.u32(out + outWords * 4, 4))).toEqual(Array(4).fill(UNWRITTEN))
        })
      }),
    )
  })
})

describe.each(TILES)('%sI16', (tile) => {
  it('is exact for every shape, and writes nothing else', () => {
    fc.assert(
      fc.property(matrices, (m) => {
        const queries = i16Rows(m.seed, m.queryFlavour, m.queryCount, m.gridDims)
        const targets = i16Rows(m.seed, m.targetFlavour, m.queryCount + m.targetCount, m.gridDims).slice(m.queryCount)
        const outStride = m.targetCount + m.extraStride
        expect(distanceWords(tile, 'I16', queries, targets, m.gridDims, outStride)).toEqual(
          expectedWords(queries, targets, outStride, l2IntegerTwin),
        )
      }),
    )
  })

  it('reaches four times the largest norm without overflow', () => {
    const row = new Int16Array(8)
    row[3] = 22360
    const opposite = row.map((x) => -x)
    expect(Array.from(distanceWords(tile, 'I16', [row], [opposite, row], 8, 2))).toEqual([4 * 22360 * 22360, 0])
  })
})

describe.each(TILES)('%sF32', (tile) => {
  it('equals the plain sequential sum to the bit in every place of a pair, and writes nothing else', () => {
    fc.assert(
      fc.property(matrices, (m) => {
        const queries = f32Rows(m.seed, m.queryFlavour, m.queryCount, m.gridDims)
        const targets = f32Rows(m.seed, m.targetFlavour, m.queryCount + m.targetCount, m.gridDims).slice(m.queryCount)
        const outStride = m.targetCount + m.extraStride
        expect(distanceWords(tile, 'F32', queries, targets, m.gridDims, outStride)).toEqual(
          expectedWords(queries, targets, outStride, (q, t) => f32Word(tileL2Twin(q, t))),
        )
      }),
    )
  })

  it('stays within (gridDims + 4) * 2^-23 * (|q|^2 + |t|^2) of the true distance', () => {
    fc.assert(
      fc.property(matrices, (m) => {
        const queries = f32Rows(m.seed, m.queryFlavour, m.queryCount, m.gridDims)
        const targets = f32Rows(m.seed, m.targetFlavour, m.queryCount + m.targetCount, m.gridDims).slice(m.queryCount)
        const got = new Float32Array(distanceWords(tile, 'F32', queries, targets, m.gridDims, m.targetCount).buffer)
        queries.forEach((q, i) =>
          targets.forEach((t, j) => {
            const norms = dotTwin(q, q).dot + dotTwin(t, t).dot
            const error = Math.abs(got[i * m.targetCount + j] - l2Twin(q, t))
            expect(error).toBeLessThanOrEqual((m.gridDims + 4) * 2 ** -23 * norms + 1e-37)
          }),
        )
      }),
    )
  })

  it('is exactly 0 between equal rows', () => {
    const rows = f32Rows(7, 'random', 9, 104)
    const got = new Float32Array(distanceWords(tile, 'F32', rows, rows, 104, 9).buffer)
    rows.forEach((_, i) => expect(got[i * 9 + i]).toBe(0))
  })

  it('clamps values that rounding makes negative', () => {
    const rows = f32Rows(3, 'close', 40, 128)
    const values = Array.from(new Float32Array(distanceWords(tile, 'F32', rows, rows, 128, 40).buffer))
    const unclamped = rows.flatMap((q) =>
      rows.map((t) => sequentialDotTwin(q, q) + sequentialDotTwin(t, t) - 2 * sequentialDotTwin(q, t)),
    )
    expect(unclamped.some((value) => value < 0)).toBe(true)
    expect(values.every((value) => value >= 0)).toBe(true)
  })

  it('is right across the borders of target blocks', () => {
    // 1024 dimensions of f32: 32 targets make a block of 128 KiB.
    const queries = f32Rows(1, 'random', 5, 1024)
    const targets = f32Rows(2, 'random', 71, 1024)
    expect(distanceWords(tile, 'F32', queries, targets, 1024, 71)).toEqual(
      expectedWords(queries, targets, 71, (q, t) => f32Word(tileL2Twin(q, t))),
    )
  })
})
