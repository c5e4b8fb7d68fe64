import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeBlock } from '../../kernel/block.js'
import { ROUTE_RECORDS, WRITE_GRAPH_ROWS } from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'
import { f32Rows, i16Rows, place, uniformFrom, withArena } from '../fixtures/samples.js'

const kernel = Kernel.create()
const { fn } = kernel

const seeds = fc.integer({ min: 0, max: 1e6 })
const counts = fc.integer({ min: 0, max: 60 })
/** u32 words of a row, also fewer than a vector register holds, and not a multiple of them. */
const rowWords = fc.integer({ min: 1, max: 37 })

function randomWords(uniform: () => number, count: number): number[] {
  return Array.from({ length: count }, () => Math.floor(uniform() * 2 ** 32))
}

function placeWords(words: readonly number[]): number {
  const at = kernel.alloc(4 * words.length)
  kernel.u32(at, words.length).set(words)
  return at
}

function shuffled(uniform: () => number, count: number): number[] {
  const keys = Array.from({ length: count }, uniform)
  return Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b])
}

describe('records', () => {
  it('go to their places, and come back in an order', () => {
    fc.assert(
      fc.property(seeds, counts, rowWords, (seed, count, width) => {
        const uniform = uniformFrom(seed)
        const rows = Array.from({ length: count }, () => randomWords(uniform, width))
        const order = shuffled(uniform, count)
        withArena(kernel, () => {
          const records = placeWords(rows.flatMap((row, i) => [i, ...row]))
          const scattered = kernel.alloc(4 * width * count)
          const gathered = kernel.alloc(4 * width * count)
          fn.scatterRecords(records, count, 4 * width, placeWords(order), scattered)
          fn.gatherRecords(records, count, 4 * width, placeWords(order), gathered)
          const expected: number[][] = []
          order.forEach((at, i) => (expected[at] = rows[i]))
          expect(Array.from(kernel.u32(scattered, count * width))).toEqual(expected.flat())
          expect(Array.from(kernel.u32(gathered, count * width))).toEqual(order.flatMap((i) => rows[i]))
        })
      }),
    )
  })

  it('go to the partitions of their leaders, once each', () => {
    fc.assert(
      fc.property(
        seeds,
        counts,
        rowWords,
        rowWords,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        (seed, count, rowWidth, gridWidth, leaders, overlap) => {
          const uniform = uniformFrom(seed)
          const ordinals = randomWords(uniform, count)
          const rows = Array.from({ length: count }, () => randomWords(uniform, rowWidth))
          const grid = Array.from({ length: count }, () => randomWords(uniform, gridWidth))
          const nearest = Array.from({ length: count }, () =>
            Array.from({ length: overlap }, () => Math.floor(uniform() * leaders)),
          )
          const partitions: number[][][] = Array.from({ length: 2 * leaders }, () => [])
          nearest.forEach(([home, ...others], i) => {
            partitions[home].push([ordinals[i], ...rows[i]])
            for (const other of new Set(others)) {
              if (other !== home) partitions[leaders + other].push([ordinals[i], ...grid[i]])
            }
          })
          withArena(kernel, () => {
            const countsAt = kernel.alloc(8 * leaders)
            const offsets = kernel.alloc(8 * leaders)
            const out = kernel.alloc(4 * count * (1 + rowWidth + (overlap - 1) * (1 + gridWidth)))
            const route = placeBlock(kernel, ROUTE_RECORDS, {
              nearest: placeWords(nearest.flat()),
              count,
              overlap,
              leaders,
              ordinals: placeWords(ordinals),
              rows: placeWords(rows.flat()),
              rowBytes: 4 * rowWidth,
              grid: placeWords(grid.flat()),
              gridBytes: 4 * gridWidth,
              counts: countsAt,
              offsets,
              out,
            })
            const bytes = fn.routeRecords(route)
            expect(Array.from(kernel.u32(out, bytes / 4))).toEqual(partitions.flat(2))
            expect(Array.from(kernel.u32(countsAt, 2 * leaders))).toEqual(partitions.map(({ length }) => length))
          })
        },
      ),
    )
  })
})

describe('writeGraphRows', () => {
  it('writes each member’s row by node, in runs within a segment and the length asked for', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(8, 100, 1000),
        (seed, homeCount, replicaCount, segments, runBytes) => {
          const uniform = uniformFrom(seed)
          const below = (limit: number): number => Math.floor(uniform() * limit)
          const count = homeCount + replicaCount
          const before = below(replicaCount + 1)
          // Ascending nodes with gaps: some replicas, the homes side by side, the other replicas.
          const ascending: number[] = []
          for (let i = 0; i < count; i++) {
            const isHome = i > before && i < before + homeCount
            ascending.push((ascending.at(-1) ?? -1) + 1 + (isHome ? 0 : below(5)))
          }
          const nodes = [
            ...ascending.slice(before, before + homeCount),
            ...ascending.slice(0, before),
            ...ascending.slice(before + homeCount),
          ]
          const nodeCount = (ascending.at(-1) ?? 0) + 1
          // An empty segment has the same start as the next one.
          const cuts = Array.from({ length: segments - 1 }, () => below(nodeCount)).sort((a, b) => a - b)
          const starts = [0, ...cuts, nodeCount]
          const rows = Array.from({ length: count }, () => Array.from({ length: below(6) }, () => below(count)))
          const words = rows.map((row) => randomWords(uniform, row.length))
          const offsets = [0]
          for (const row of rows) offsets.push(offsets[offsets.length - 1] + row.length)

          const expectedRows = Array.from(nodes.keys())
            .sort((a, b) => nodes[a] - nodes[b])
            .map((member) => [
              nodes[member],
              rows[member].length,
              ...rows[member].map((other) => nodes[other]),
              ...words[member],
            ])
          const expectedRuns: number[][] = []
          for (const row of expectedRows) {
            const segment = starts.findIndex((start, i) => start <= row[0] && row[0] < starts[i + 1])
            const open = expectedRuns.at(-1)
            if (open?.[0] === segment && open[2] + 4 * row.length <= runBytes) {
              open[1]++
              open[2] += 4 * row.length
            } else expectedRuns.push([segment, 1, 4 * row.length])
          }
          withArena(kernel, () => {
            const out = kernel.alloc(4 * expectedRows.flat().length)
            const runs = kernel.alloc(12 * count)
            const graph = placeBlock(kernel, WRITE_GRAPH_ROWS, {
              count,
              homeCount,
              before,
              nodes: placeWords(nodes),
              offsets: placeWords(offsets),
              neighbours: placeWords(rows.flat()),
              words: placeWords(words.flat()),
              starts: placeWords(starts),
              runBytes,
              out,
              runs,
            })
            const found = fn.writeGraphRows(graph)
            expect(Array.from(kernel.u32(runs, 3 * found))).toEqual(expectedRuns.flat())
            expect(Array.from(kernel.u32(out, expectedRows.flat().length))).toEqual(expectedRows.flat())
          })
        },
      ),
    )
  })
})

describe('clusterSums', () => {
  it.each(['i16', 'f32'] as const)('adds rows, squares and counts to earlier ones, to the bit (%s)', (kind) => {
    fc.assert(
      fc.property(
        seeds,
        counts,
        fc.integer({ min: 1, max: 5 }).map((eights) => eights * 8),
        fc.integer({ min: 1, max: 4 }),
        (seed, count, gridDims, clusterCount) => {
          const uniform = uniformFrom(seed)
          const rows: (Int16Array | Float32Array)[] =
            kind === 'i16' ? i16Rows(seed, 'random', count, gridDims) : f32Rows(seed, 'random', count, gridDims)
          const clusters = rows.map(() => Math.floor(uniform() * clusterCount))
          const sums = new Float64Array(clusterCount * gridDims).fill(0.5)
          const squares = new Float64Array(clusterCount).fill(0.5)
          const sizes = new Uint32Array(clusterCount).fill(3)
          rows.forEach((row, i) => {
            sizes[clusters[i]]++
            row.forEach((component: number, d: number) => {
              sums[clusters[i] * gridDims + d] += component
              squares[clusters[i]] += component * component
            })
          })
          withArena(kernel, () => {
            const sumsAt = kernel.alloc(sums.byteLength)
            const squaresAt = kernel.alloc(squares.byteLength)
            const sizesAt = kernel.alloc(sizes.byteLength)
            kernel.f64(sumsAt, sums.length).fill(0.5)
            kernel.f64(squaresAt, clusterCount).fill(0.5)
            kernel.u32(sizesAt, clusterCount).fill(3)
            const add = kind === 'i16' ? fn.clusterSumsI16 : fn.clusterSumsF32
            add(place(kernel, rows), count, gridDims, placeWords(clusters), sumsAt, squaresAt, sizesAt)
            expect(kernel.f64(sumsAt, sums.length)).toEqual(sums)
            expect(kernel.f64(squaresAt, clusterCount)).toEqual(squares)
            expect(kernel.u32(sizesAt, clusterCount)).toEqual(sizes)
          })
        },
      ),
    )
  })
})
