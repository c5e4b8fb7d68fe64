import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExportFormat } from '../../src/api/interop.js'
import { exportIndex, type ExportReport } from '../../src/interop/export-index.js'
import type { Id } from '../../src/api/vectors.js'
import { temporaryFolder } from '../fixtures/index-files.js'
import { randomGraph, type GraphWish, type TestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { factsOf, wishes } from '../fixtures/graph-facts.js'
import { readFvecs, readHnswlib, readIdsFile, readUsearch } from '../fixtures/read-exported.js'
import { runs } from '../whole.js'

const folder = temporaryFolder()
const READERS = { hnswlib: readHnswlib, usearch: readUsearch }
const GRAPH_FORMATS = ['hnswlib', 'usearch'] as const

async function withExported(
  graph: TestGraph,
  format: ExportFormat,
  ids: readonly Id[] | undefined,
  check: (report: ExportReport) => void,
): Promise<void> {
  const indexDir = folder.path('graph.index')
  try {
    await writeIndex(indexDir, graph, ids)
    check(await exportIndex(indexDir, { format, out: folder.path('graph.out'), overwrite: true }))
  } finally {
    await rm(indexDir, { recursive: true, force: true })
  }
}

describe.each(GRAPH_FORMATS)('an exported file of %s', (format) => {
  const read = READERS[format]

  it('has the vectors, links, levels and entry point of the index', async () => {
    await fc.assert(
      fc.asyncProperty(wishes, async (wish) => {
        const graph = randomGraph(wish)
        await withExported(graph, format, undefined, ({ out }) => expect(read(out)).toMatchObject(factsOf(graph)))
      }),
      { numRuns: runs(60) },
    )
  })

  it('has the same bytes when it is written in many runs', async () => {
    const wish: GraphWish = { seed: 1, metric: 'l2', count: 9000, dimensions: 64, m: 64, levels: 2, values: 'reals' }
    const graph = randomGraph(wish)
    await withExported(graph, format, undefined, ({ out, bytes }) => {
      const found = read(out)
      const expected = factsOf(graph)
      expect(bytes).toBe(readFileSync(out).length)
      expect(Buffer.from(found.vectors.buffer).equals(Buffer.from(expected.vectors.buffer))).toBe(true)
      expect(JSON.stringify(found.links)).toBe(JSON.stringify(expected.links))
      expect(found.labels).toEqual(Array.from({ length: 9000 }, (_, node) => BigInt(node)))
    })
  })

  it('has the ids as labels when all are integers of at least 0', async () => {
    const graph = randomGraph({ seed: 2, metric: 'ip', count: 4, dimensions: 3, m: 4, levels: 1, values: 'reals' })
    const ids = [2 ** 53 - 1, 0, 2 ** 32, 2 ** 32 - 1]
    await withExported(graph, format, ids, (report) => {
      expect(report.labels).toBe('ids')
      expect(report.idsFile).toBeUndefined()
      expect(read(report.out).labels).toEqual(ids.map(BigInt))
    })
  })

  it.each([
    ['a text', ['a', 1, 2, 3]],
    ['an integer below 0', [0, 1, 2, -3]],
    ['an integer as text', [0, 1, '2', 3]],
  ])('has nodes as labels, and the ids in a second file, when one of them is %s', async (_, ids) => {
    const graph = randomGraph({ seed: 3, metric: 'l2', count: 4, dimensions: 3, m: 4, levels: 1, values: 'reals' })
    await withExported(graph, format, ids, (report) => {
      expect(report.labels).toBe('nodes')
      expect(read(report.out).labels).toEqual([0n, 1n, 2n, 3n])
      expect(report.idsFile).toBe(`${report.out}.ids.jsonl`)
      expect(readIdsFile(`${report.out}.ids.jsonl`)).toEqual(ids)
    })
  })
})

describe('an exported file', () => {
  it.each([
    ['l2', 'e', 'l2sq', 'l2'],
    ['cosine', 'c', 'cos', 'cosine'],
    ['ip', 'i', 'ip', 'ip'],
  ] as const)('of metric %s says so to usearch, and the report to both', async (metric, code, usearch, hnswlib) => {
    const graph = randomGraph({ seed: 4, metric, count: 5, dimensions: 3, m: 4, levels: 0, values: 'reals' })
    await withExported(graph, 'usearch', undefined, ({ out, space }) => {
      expect(readUsearch(out).metric).toBe(code)
      expect(space).toBe(usearch)
    })
    await withExported(graph, 'hnswlib', undefined, ({ space }) => expect(space).toBe(hnswlib))
  })

  it('of fvecs has the vectors, and their ids in a second file', async () => {
    await fc.assert(
      fc.asyncProperty(wishes, fc.boolean(), async (wish, text) => {
        const graph = randomGraph(wish)
        const ids = Array.from({ length: graph.count }, (_, i): Id => (text ? `line\n${i}é` : 5 * i))
        await withExported(graph, 'fvecs', ids, ({ out, idsFile = '', labels, space }) => {
          expect(readFvecs(out)).toEqual({ dimensions: graph.dimensions, vectors: graph.vectors })
          expect(readIdsFile(idsFile)).toEqual(ids)
          expect({ labels, space }).toEqual({ labels: 'nodes', space: undefined })
        })
      }),
      { numRuns: runs(30) },
    )
  })
})
