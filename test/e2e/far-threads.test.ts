/** Threads of an index that is larger than a kernel memory is allowed to be. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { searchBatch } from '../../dist/src/search/batch/search-batch.js'
import { makeView } from '../../dist/src/search/view/open-view.js'
import { openGeneration } from '../../dist/src/search/open-generation.js'
import { searchOne } from '../../dist/src/search/search-one.js'
import { randomGraph, randomRows, randomSource } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

test('share all of its memories, and find what one thread finds', async () => {
  const graph = randomGraph({ seed: 3, metric: 'ip', count: 2500, dimensions: 48, m: 4, levels: 2, values: 'integers' })
  const queries = Array.from({ length: 60 }, (_, i) => randomRows(randomSource(i), 1, graph.dimensions, 'integers'))
  const root = await mkdtemp(join(tmpdir(), 'shardloom-far-threads-'))
  try {
    await writeIndex(root, graph)
    // Vectors are 480 kB, links 90 kB.
    const limits = { nearLimitBytes: 350_000, farLimitBytes: 280_000 }
    const open = await openGeneration(root, { memory: '4MB', threads: 2 }, limits)
    const view = makeView(root, open, undefined)
    const alone = await openGeneration(root, { memory: '4MB' })
    try {
      expect(open.core.memory.rows.far.map(({ kernels }) => kernels.length)).toEqual([3])
      // A wider beam than any before takes new contexts in the memory that walks.
      for (const ef of [64, 2000, 64]) {
        const asked = { k: 10, ef, rerank: undefined, filter: undefined }
        const expected = queries.map((query) => searchOne(alone, query, 0, asked))
        expect(await searchBatch(view, queries, asked, () => view)).toEqual(expected)
        expect(queries.map((query) => searchOne(open, query, 0, asked))).toEqual(expected)
      }
    } finally {
      await open.close()
      await alone.close()
    }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
