import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { vectorsHeader } from '../../src/format/segment/segment-header.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import { linkToLongest, longestCount, longestPerNode } from '../../src/tasks/link/link-longest.js'
import { findLongest, longestFirst } from '../../src/tasks/link/longest-task.js'
import { makeFolder, randomNumbers, squaredNorm } from '../fixtures/tasks.js'
import { withArena } from '../fixtures/samples.js'

const kernel = Kernel.create()

/** Small whole components: products are exact, and many are equal. */
function wholeRows(count: number, dimensions: number, seed: number): Float32Array {
  const random = randomNumbers(seed)
  return Float32Array.from({ length: count * dimensions }, () => Math.floor(random() * 9) - 4)
}

function product(rows: Float32Array, dimensions: number, a: number, b: number): number {
  let sum = 0
  for (let d = 0; d < dimensions; d++) sum += rows[a * dimensions + d] * rows[b * dimensions + d]
  return sum
}

/** The rule in plain words: the farthest links make room for the largest products above 0, and come back if they can. */
function twin(
  row: readonly number[],
  node: number,
  longest: readonly number[],
  { maxDegree, perNode, productOf }: { maxDegree: number; perNode: number; productOf: (other: number) => number },
): number[] {
  const kept = row.slice(0, maxDegree - perNode)
  const order = longest
    .map((other, place) => ({ other, place, product: productOf(other) }))
    .sort((a, b) => b.product - a.product || a.place - b.place)
  const wanted = order.slice(0, perNode + 1).filter((one) => one.product > 0 && one.other !== node)
  const added = wanted.map(({ other }) => other).filter((other) => !kept.includes(other))
  const links = [...kept, ...added.slice(0, perNode)]
  const back = row.slice(kept.length).filter((other) => !links.includes(other))
  return [...links, ...back].slice(0, maxDegree)
}

describe('linkToLongest', () => {
  it('links each node to the longest rows of the largest products, in place of its farthest links', async () => {
    const folder = makeFolder()
    let files = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 300 }),
        fc.integer({ min: 1, max: 19 }),
        fc.integer({ min: 2, max: 5 }).map((m) => 2 * m),
        fc.integer({ min: 1, max: 90 }),
        fc.integer(),
        async (count, dimensions, maxDegree, longestSize, seed) => {
          const rows = wholeRows(count, dimensions, seed)
          const random = randomNumbers(seed + 1)
          const perNode = longestPerNode(maxDegree)
          const longest = Array.from({ length: count }, (_, i) => i).filter(() => random() < longestSize / count)
          if (longest.length === 0) return
          const links = Array.from({ length: count }, (_, node) => {
            const others = new Set(Array.from({ length: maxDegree }, () => Math.floor(random() * count)))
            others.delete(node)
            return [...others].slice(0, Math.floor(random() * (maxDegree + 1)))
          })
          const path = join(folder, `vectors-${files++}.seg`)
          await writeSegment(path, vectorsHeader({ firstNode: 0, count, dimensions }), new Uint8Array(rows.buffer))
          withArena(kernel, () => {
            const stride = 1 + maxDegree
            const at = kernel.alloc(4 * count * stride)
            const words = kernel.u32(at, count * stride).fill(0)
            links.forEach((row, node) => words.set([row.length, ...row], node * stride))
            const longestRows = {
              nodes: Uint32Array.from(longest),
              rows: Float32Array.from(longest.flatMap((n) => [...rows.subarray(n * dimensions, (n + 1) * dimensions)])),
              dimensions,
            }
            const added = linkToLongest(kernel, longestRows, { path, firstNode: 0, count }, { links: at, maxDegree })
            const after = kernel.u32(at, count * stride)
            const found = links.map((_, node) =>
              Array.from(after.subarray(node * stride + 1, node * stride + 1 + after[node * stride])),
            )
            const productOf = (node: number) => (other: number) => product(rows, dimensions, node, other)
            expect(found).toEqual(
              links.map((row, node) => twin(row, node, longest, { maxDegree, perNode, productOf: productOf(node) })),
            )
            const sizeOf = (all: number[][]): number => all.reduce((sum, { length }) => sum + length, 0)
            expect(added).toBe(sizeOf(found) - sizeOf(links))
          })
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('findLongest', () => {
  it('finds the longest vectors of a segment, longest first, ties by node', async () => {
    const [count, dimensions, firstNode, wanted] = [3000, 200, 500, 70]
    const rows = wholeRows(count, dimensions, 1)
    const path = join(makeFolder(), 'vectors-000.seg')
    await writeSegment(path, vectorsHeader({ firstNode, count, dimensions }), new Uint8Array(rows.buffer))
    const mark = kernel.mark()
    const { nodes, squaredNorms, lengthSum } = findLongest(kernel, {
      vectors: { path, firstNode, count },
      dimensions,
      wanted,
    })
    kernel.release(mark)
    const all = Float64Array.from({ length: count }, (_, row) => squaredNorm(rows, dimensions, row))
    const expected = Array.from(all.keys()).sort((a, b) => all[b] - all[a] || a - b)
    expect(Array.from(nodes)).toEqual(expected.slice(0, wanted).map((row) => firstNode + row))
    expect(Array.from(squaredNorms)).toEqual(expected.slice(0, wanted).map((row) => all[row]))
    expect(lengthSum).toBeCloseTo(all.reduce((sum, squared) => sum + Math.sqrt(squared), 0))
  })

  it('gives all of a segment that has fewer', () => {
    expect(Array.from(longestFirst(Float64Array.of(1, 3, 3, 2), 9))).toEqual([1, 2, 3, 0])
  })
})

describe('longestCount', () => {
  it.each([
    [3, 8, 3],
    [1000, 8, 64],
    [20_000, 32, 400],
    [5_000_000, 128, 2048],
    [5_000_000, 4096, 64],
  ])('of %d vectors with %d dimensions takes %d', (count, dimensions, expected) => {
    expect(longestCount(count, dimensions)).toBe(expected)
  })
})
