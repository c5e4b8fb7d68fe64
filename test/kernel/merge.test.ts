import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeBlock } from '../../kernel/block.js'
import { MERGE_LINKS } from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'
import { f32Rows, i16Rows, place, uniformFrom, withArena } from '../fixtures/samples.js'
import { fillTwin, gatherL2Twin, l2IntegerTwin, pruneTwin } from './twins.js'

const kernel = Kernel.create()
const { fn } = kernel
const ALPHA = 1.2

interface Row {
  readonly node: number
  readonly neighbours: readonly number[]
  readonly words: readonly number[]
}

const shapes = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  nodeCount: fc.integer({ min: 2, max: 300 }),
  firstNode: fc.integer({ min: 0, max: 299 }),
  rowsPerNode: fc.integer({ min: 0, max: 4 }),
  degree: fc.integer({ min: 0, max: 12 }),
})

/** Rows of the nodes from firstNode on, in any order, each nearest first with ties in any order. */
function makeRows(
  shape: { seed: number; nodeCount: number; firstNode: number; rowsPerNode: number; degree: number },
  wordOf: (a: number, b: number) => number,
): { rows: Row[]; firstNode: number; count: number } {
  const uniform = uniformFrom(shape.seed)
  const below = (limit: number): number => Math.floor(uniform() * limit)
  const firstNode = shape.firstNode % shape.nodeCount
  const count = shape.nodeCount - firstNode
  const rows = Array.from({ length: count * shape.rowsPerNode }, () => {
    const node = firstNode + below(count)
    const neighbours = [...new Set(Array.from({ length: below(shape.degree + 1) }, () => below(shape.nodeCount)))]
    neighbours.sort((a, b) => wordOf(node, a) - wordOf(node, b))
    return { node, neighbours, words: neighbours.map((other) => wordOf(node, other)) }
  })
  return { rows, firstNode, count }
}

/** Loads and indexes rows as the merge task does. */
function load(given: { rows: readonly Row[]; firstNode: number; count: number }): {
  starts: number
  places: number
  widest: number
} {
  const { firstNode, count } = given
  const words = given.rows.flatMap((row) => [row.node, row.neighbours.length, ...row.neighbours, ...row.words])
  const base = kernel.alloc(4 * words.length)
  kernel.u32(base, words.length).set(words)
  const starts = kernel.alloc(4 * (count + 2))
  const rowCount = fn.mergeCountRows(base, 4 * words.length, firstNode, count, starts)
  expect(rowCount).toBe(given.rows.length)
  const places = kernel.alloc(4 * rowCount)
  const widest = fn.mergePlaceRows(base, 4 * words.length, firstNode, count, starts, places)
  return { starts, places, widest }
}

function candidatesOf(rows: readonly Row[], node: number): number[] {
  return rows.filter((row) => row.node === node).flatMap((row) => row.neighbours)
}

describe('merge', () => {
  it('finds the rows of every node, in input order', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const given = makeRows(shape, (a, b) => a + b)
        withArena(kernel, () => {
          const { starts, places, widest } = load(given)
          const all = kernel.u32(starts, given.count + 1)
          let most = 0
          for (let i = 0; i < given.count; i++) {
            const expected = given.rows.filter(({ node }) => node === given.firstNode + i)
            const found = Array.from(kernel.u32(places + 4 * all[i], all[i + 1] - all[i]), (at) => {
              const [count] = kernel.u32(at, 1)
              return Array.from(kernel.u32(at, 1 + 2 * count))
            })
            expect(found).toEqual(expected.map((row) => [row.neighbours.length, ...row.neighbours, ...row.words]))
            most = Math.max(most, candidatesOf(given.rows, given.firstNode + i).length)
          }
          expect(widest).toBe(most)
        })
      }),
      { numRuns: 50 },
    )
  })

  it('numbers the distinct candidates of as many nodes as fit, ascending', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 200 }), (shape, limit) => {
        const given = makeRows(shape, (a, b) => a + b)
        withArena(kernel, () => {
          const { starts, places } = load(given)
          const bitWords = Math.ceil(shape.nodeCount / 64)
          const bits = kernel.alloc(8 * bitWords)
          const ranks = kernel.alloc(4 * bitWords)
          const nodes = kernel.alloc(4 * shape.nodeCount)
          for (let from = 0; from < given.count;) {
            kernel.u8(bits, 8 * bitWords).fill(0)
            const end = fn.mergeMark(starts, places, from, given.count, limit, bits)
            const found = Array.from(kernel.u32(nodes, fn.mergeRank(bits, bitWords, ranks, nodes)))
            const distinct = new Set<number>()
            let expectedEnd = from
            while (expectedEnd < given.count) {
              const candidates = candidatesOf(given.rows, given.firstNode + expectedEnd)
              if (expectedEnd > from && distinct.size + candidates.length > limit) break
              for (const node of candidates) distinct.add(node)
              expectedEnd++
            }
            expect(end).toBe(expectedEnd)
            expect(found).toEqual([...distinct].sort((a, b) => a - b))
            const before = Array.from(
              { length: bitWords },
              (_, word) => found.filter((node) => node < 64 * word).length,
            )
            expect(Array.from(kernel.u32(ranks, bitWords))).toEqual(before)
            from = end
          }
        })
      }),
      { numRuns: 50 },
    )
  })

  function unitesPrunesAndFills<GridRow extends Int16Array | Float32Array>(
    rowsOf: (seed: number, count: number, gridDims: number) => GridRow[],
    distance: (a: GridRow, b: GridRow) => number,
    name: 'mergeLinksI16' | 'mergeLinksF32',
  ): void {
    fc.assert(
      fc.property(
        shapes,
        fc.integer({ min: 1, max: 3 }).map((eights) => eights * 8),
        fc.integer({ min: 1, max: 12 }),
        (shape, gridDims, maxDegree) => {
          const grid = rowsOf(shape.seed, shape.nodeCount, gridDims)
          const distanceOf = (a: number, b: number): number => distance(grid[a], grid[b])
          const wordOf = (a: number, b: number): number =>
            name === 'mergeLinksI16' ? distanceOf(a, b) : new Uint32Array(Float32Array.of(distanceOf(a, b)).buffer)[0]
          const given = makeRows(shape, wordOf)
          withArena(kernel, () => {
            const { starts, places, widest } = load(given)
            const bitWords = Math.ceil(shape.nodeCount / 64)
            const bits = kernel.alloc(8 * bitWords)
            const ranks = kernel.alloc(4 * bitWords)
            const nodes = kernel.alloc(4 * shape.nodeCount)
            kernel.u8(bits, 8 * bitWords).fill(0)
            fn.mergeMark(starts, places, 0, given.count, 2 ** 20, bits)
            // A copy: the memory may grow below, which detaches views.
            const needed = kernel.u32(nodes, fn.mergeRank(bits, bitWords, ranks, nodes)).slice()
            const loaded = place(
              kernel,
              Array.from(needed, (node) => grid[node]),
            )
            const norms = kernel.alloc(4 * needed.length)
            fn[name === 'mergeLinksI16' ? 'normsI16' : 'normsF32'](loaded, needed.length, gridDims, norms)
            const scratch = kernel.alloc(40 * widest)
            const linkWords = 1 + maxDegree
            const links = kernel.alloc(4 * given.count * linkWords)
            kernel.u8(links, 4 * given.count * linkWords).fill(0)
            const chunk = placeBlock(kernel, MERGE_LINKS, {
              alpha: ALPHA,
              starts,
              places,
              from: 0,
              to: given.count,
              bits,
              ranks,
              grid: loaded,
              norms,
              gridDims,
              maxDegree,
              widest,
              scratch,
              links,
            })
            const degreeSum = fn[name](chunk)
            let degrees = 0
            for (let i = 0; i < given.count; i++) {
              const node = given.firstNode + i
              const candidates = [...new Set(candidatesOf(given.rows, node))]
              candidates.sort((a, b) => wordOf(node, a) - wordOf(node, b) || a - b)
              const distances = candidates.map((other) => distanceOf(node, other))
              const pruned = pruneTwin(candidates, distances, maxDegree, ALPHA, distanceOf)
              const kept = fillTwin(pruned, candidates.length, maxDegree)
              const expected = new Array<number>(linkWords).fill(0)
              expected[0] = kept.length
              kept.forEach((candidate, k) => (expected[1 + k] = candidates[candidate]))
              expect(Array.from(kernel.u32(links + 4 * i * linkWords, linkWords))).toEqual(expected)
              degrees += kept.length
            }
            expect(degreeSum).toBe(degrees)
          })
        },
      ),
      { numRuns: 50 },
    )
  }

  // Copies make ties, which are ordered by node.
  it('unites rows without repeats by distance, then node, prunes them and fills them up, i16', () => {
    unitesPrunesAndFills(
      (seed, count, dimensions) => i16Rows(seed, seed % 2 ? 'random' : 'repeated', count, dimensions),
      l2IntegerTwin,
      'mergeLinksI16',
    )
  })

  it('unites rows without repeats by distance, then node, prunes them and fills them up, f32', () => {
    unitesPrunesAndFills(
      (seed, count, dimensions) => f32Rows(seed, seed % 2 ? 'random' : 'repeated', count, dimensions),
      gatherL2Twin,
      'mergeLinksF32',
    )
  })
})
