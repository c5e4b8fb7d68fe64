import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { ProofGraph } from '../../src/tasks/prove/proof-graph.js'
import { reachAll, type ReachResult } from '../../src/tasks/prove/reach-task.js'
import { linksHeader, vectorsHeader } from '../../src/format/segment/segment-header.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import { makeFolder, randomNumbers, randomRows } from '../fixtures/tasks.js'

const kernel = Kernel.create()
const M = 4
const MAX_DEGREE = 2 * M
const STRIDE = 1 + MAX_DEGREE

/** Writes vectors and links in segments of `segmentNodes`. */
async function graphOf(
  vectors: Float32Array,
  dimensions: number,
  links: readonly (readonly number[])[],
  { entry = 0, segmentNodes = 100_000 } = {},
): Promise<ProofGraph> {
  const folder = makeFolder()
  const count = links.length
  const files = { vectors: [], links: [] } as {
    vectors: ProofGraph['vectors'][number][]
    links: ProofGraph['links'][number][]
  }
  const rows = new Uint32Array(count * STRIDE)
  links.forEach((row, node) => rows.set([row.length, ...row], node * STRIDE))
  for (let firstNode = 0; firstNode < count; firstNode += segmentNodes) {
    const range = { firstNode, count: Math.min(segmentNodes, count - firstNode), dimensions }
    const bytesOf = (words: Uint32Array | Float32Array, stride: number): Uint8Array =>
      new Uint8Array(words.slice(firstNode * stride, (firstNode + range.count) * stride).buffer)
    const place = (kind: string): string => join(folder, `${kind}-${firstNode}.seg`)
    await writeSegment(place('vectors'), vectorsHeader(range), bytesOf(vectors, dimensions))
    await writeSegment(place('links'), linksHeader({ ...range, m: M }), bytesOf(rows, STRIDE))
    files.vectors.push({ path: place('vectors'), ...range })
    files.links.push({ path: place('links'), ...range })
  }
  return {
    metric: 'l2',
    dimensions,
    count,
    m: M,
    ...files,
    entryPoint: { node: entry, level: 0, index: entry },
    upperLevels: [],
  }
}

function reach(graph: ProofGraph): ReachResult {
  const before = kernel.usedBytes
  const result = reachAll(kernel, { graph })
  expect(kernel.usedBytes).toBe(before)
  return result
}

/** Rows with the patches put in. */
function patched(links: readonly (readonly number[])[], { patches }: ReachResult): number[][] {
  const rows = links.map((row) => [...row])
  for (const { node, row } of patches) rows[node] = Array.from(row.subarray(1, 1 + row[0]))
  return rows
}

function reachableFrom(entry: number, links: readonly (readonly number[])[]): number {
  const seen = new Set([entry])
  for (const node of seen) for (const next of links[node]) seen.add(next)
  return seen.size
}

function expectValid(links: readonly (readonly number[])[]): void {
  links.forEach((row, node) => {
    expect(row.length).toBeLessThanOrEqual(MAX_DEGREE)
    expect(new Set(row).size).toBe(row.length)
    for (const to of row) {
      expect(to).not.toBe(node)
      expect(to).toBeLessThan(links.length)
    }
  })
}

async function expectRepaired(
  vectors: Float32Array,
  dimensions: number,
  links: readonly (readonly number[])[],
  options: { entry?: number; segmentNodes?: number } = {},
): Promise<ReachResult> {
  const result = reach(await graphOf(vectors, dimensions, links, options))
  const entry = options.entry ?? 0
  expect(result.reachableBefore).toBe(reachableFrom(entry, links))
  const repaired = patched(links, result)
  expect(reachableFrom(entry, repaired)).toBe(links.length)
  expectValid(repaired)
  return result
}

const ring = (first: number, count: number): number[][] =>
  Array.from({ length: count }, (_, i) => [first + ((i + 1) % count)])

describe('reachAll', () => {
  it('leaves a graph alone whose nodes are all reachable, over several segments', async () => {
    for (const segmentNodes of [7, 50, 1000]) {
      const graph = await graphOf(randomRows(200, 4, 1), 4, ring(0, 200), { entry: 13, segmentNodes })
      expect(reach(graph)).toMatchObject({ reachableBefore: 200, patches: [], linked: 0 })
    }
  })

  it('counts the degrees of all nodes that it reached, each once', async () => {
    const links = ring(0, 60).map(([next], i) => (i % 3 === 0 ? [next, (i + 7) % 60, (i + 9) % 60] : [next]))
    const cutOff = [...links, ...ring(60, 5)]
    for (const segmentNodes of [7, 1000]) {
      const { degreeCounts } = reach(await graphOf(randomRows(65, 4, 1), 4, cutOff, { segmentNodes }))
      expect([...degreeCounts]).toEqual([0, 40, 0, 20, 0, 0, 0, 0, 0])
    }
  })

  it('joins a cut-off component by one link, from a node near it', async () => {
    const vectors = randomRows(80, 2, 2).map((x, i) => (i < 80 ? x : x + 100))
    const { patches, linked } = await expectRepaired(vectors, 2, [...ring(0, 40), ...ring(40, 40)], {
      segmentNodes: 30,
    })
    expect(linked).toBe(1)
    expect(patches).toHaveLength(1)
  })

  it('links from the nearest reachable node', async () => {
    const line = Float32Array.from({ length: 50 }, (_, i) => i)
    const links = Array.from({ length: 50 }, (_, i) => [i - 1, i + 1].filter((to) => to >= 0 && to < 49))
    const { patches } = await expectRepaired(line, 1, links)
    expect(patches.map(({ node }) => node)).toEqual([48])
  })

  it('reaches hundreds of singletons, though every row of the core is full', async () => {
    const core = 30
    const count = 800
    const random = randomNumbers(5)
    const links = Array.from({ length: count }, (_, node) => {
      if (node >= core) return []
      const others = Array.from({ length: core }, (_, i) => i).filter((i) => i !== node && i !== (node + 1) % core)
      return [(node + 1) % core, ...others.sort(() => random() - 0.5)].slice(0, MAX_DEGREE)
    })
    const { linked } = await expectRepaired(randomRows(count, 3, 6), 3, links, { segmentNodes: 300 })
    expect(linked).toBe(count - core)
  })

  it('reaches thousands of copies of one vector whose rows are all full', async () => {
    // As hnswlib leaves them: everybody links to the same few.
    const count = 3000
    const links = Array.from({ length: count }, (_, node) =>
      Array.from({ length: MAX_DEGREE + 1 }, (_, i) => i)
        .filter((i) => i !== node)
        .slice(0, MAX_DEGREE),
    )
    await expectRepaired(new Float32Array(count * 2).fill(0.5), 2, links, { segmentNodes: 1000 })
  })

  it('reaches copies that have no links at all', async () => {
    await expectRepaired(new Float32Array(2500).fill(1), 1, new Array<number[]>(2500).fill([]), { entry: 2499 })
  })

  it('makes a shallow tree of thousands of copies, so that a walk over them is short', async () => {
    const links = new Array<number[]>(2500).fill([])
    const repaired = patched(links, reach(await graphOf(new Float32Array(2500).fill(1), 1, links)))
    let depth = 0
    const seen = new Set([0])
    for (let level = [0]; level.length > 0; depth++) {
      level = level.flatMap((node) => repaired[node]).filter((node) => !seen.has(node))
      for (const node of level) seen.add(node)
    }
    expect(seen.size).toBe(2500)
    // Four levels of eight children would do.
    expect(depth).toBeLessThanOrEqual(10)
  })

  it('never cuts off a node to reach another: a tree without a spare link keeps all its branches', async () => {
    // Every inner node's row is full of its children; hundreds of strangers want in.
    const count = 600
    const inner = 20
    const links = Array.from({ length: count + 300 }, (_, node) =>
      node < inner ? Array.from({ length: MAX_DEGREE }, (_, i) => node * MAX_DEGREE + 1 + i) : [],
    )
    const { linked } = await expectRepaired(randomRows(count + 300, 2, 8), 2, links)
    expect(linked).toBe(count + 300 - reachableFrom(0, links))
  })

  it('survives random sparse graphs', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = randomNumbers(seed)
      const count = 1 + Math.floor(random() * 300)
      const density = random() * 3
      const links = Array.from({ length: count }, (_, node) =>
        [
          ...new Set(
            Array.from({ length: Math.floor(random() * density * 3) }, () => Math.floor(random() * count)).filter(
              (to) => to !== node,
            ),
          ),
        ].slice(0, MAX_DEGREE),
      )
      const entry = Math.floor(random() * count)
      await expectRepaired(randomRows(count, 2, seed), 2, links, {
        entry,
        segmentNodes: 1 + Math.floor(random() * 100),
      })
    }
  })
})
