import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { CorruptIndexError } from '../../src/errors.js'
import { createSegment } from '../../src/format/segment/create-segment.js'
import { PartWriter } from '../../src/format/segment/part-writer.js'
import { linksHeader, vectorsHeader, type SegmentHeader } from '../../src/format/segment/segment-header.js'
import { FileGraph } from '../../src/tasks/prove/file-graph.js'
import type { RowFile } from '../../src/rows/file-rows.js'
import { searchGraph } from '../../src/tasks/prove/search-graph.js'
import {
  bytesOf,
  coreSearch,
  linkRows,
  loadCore,
  randomGraph,
  randomRows,
  randomSource,
  type TestGraph,
} from '../fixtures/random-graph.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shardloom-file-graph-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function writeRows(name: string, header: SegmentHeader, data: Uint8Array): Promise<RowFile> {
  const path = join(directory, name)
  await createSegment(path, header)
  const writer = new PartWriter(path, 0)
  try {
    writer.write(data)
    writer.finish()
  } finally {
    writer.close()
  }
  return { path, firstNode: header.firstNode, count: header.count }
}

/** The graph in two segments of each kind, not sealed: as it stands before an index is published. */
async function writeGraph(graph: TestGraph): Promise<{ vectors: RowFile[]; links: RowFile[] }> {
  const { count, dimensions, m } = graph
  const vectors: RowFile[] = []
  const links: RowFile[] = []
  const split = Math.ceil(count / 3)
  for (const [firstNode, end] of [
    [split, count],
    [0, split],
  ]) {
    const shape = { firstNode, count: end - firstNode, dimensions }
    const vectorData = bytesOf(graph.vectors.subarray(firstNode * dimensions, end * dimensions))
    vectors.push(await writeRows(`vectors-${firstNode}.seg`, vectorsHeader(shape), vectorData))
    const words = 1 + 2 * m
    const linkData = bytesOf(linkRows(graph).subarray(firstNode * words, end * words))
    links.push(await writeRows(`links-${firstNode}.seg`, linksHeader({ ...shape, m }), linkData))
  }
  return { vectors, links }
}

test.each(['l2', 'cosine', 'ip'] as const)(
  'a %s graph in files gives the answers of the same graph in memory',
  async (metric) => {
    const graph = randomGraph({ seed: 3, metric, count: 150, dimensions: 19, m: 6, levels: 2, values: 'reals' })
    const core = loadCore(graph)
    const files = await writeGraph(graph)
    // A cache of one row, of some, and of all.
    for (const cacheBytes of [0, 2000, 2 ** 20]) {
      const fileGraph = new FileGraph(Kernel.create(), { ...graph, ...files, cacheBytes })
      try {
        for (let i = 0; i < 20; i++) {
          const query = randomRows(randomSource(1000 + i), 1, graph.dimensions, 'reals')
          fileGraph.setQuery(query)
          const entry = { upperLevels: graph.upperLevels, index: graph.entryPoint.index, m: graph.m }
          expect(searchGraph(fileGraph, entry, 10, 30)).toEqual(coreSearch(core, query, 10, 30))
        }
      } finally {
        fileGraph.close()
      }
    }
  },
)

test('a row that ends early is corruption, with the file and the node', async () => {
  const graph = randomGraph({ seed: 3, metric: 'l2', count: 20, dimensions: 4, m: 4, levels: 0, values: 'reals' })
  const { vectors, links } = await writeGraph(graph)
  const beyond = vectors.map((file) => ({ ...file, count: file.count + 100 }))
  const fileGraph = new FileGraph(Kernel.create(), { ...graph, vectors: beyond, links })
  try {
    expect(() => fileGraph.distance(119)).toThrow(CorruptIndexError)
    expect(() => fileGraph.distance(119)).toThrow(/node 119/)
  } finally {
    fileGraph.close()
  }
})

test('closing twice is fine', async () => {
  const graph = randomGraph({ seed: 3, metric: 'l2', count: 20, dimensions: 4, m: 4, levels: 0, values: 'reals' })
  const fileGraph = new FileGraph(Kernel.create(), { ...graph, ...(await writeGraph(graph)) })
  fileGraph.close()
  fileGraph.close()
  expect(() => fileGraph.distance(0)).toThrow()
})
