/** Searches that read rows for the first time, against searches of a memory that holds everything. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { PageTable } from '../../src/search/core/page-table.js'
import { nearLayout } from '../../src/search/core/row-layout.js'
import { SearchCore } from '../../src/search/core/search-core.js'
import { codedCore, codedGraph, queryFor, rowsOf } from '../fixtures/coded-graph.js'
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
import { runs } from '../whole.js'

function onDemand(graph: TestGraph): SearchCore {
  return new SearchCore(Kernel.create(), {
    ...graph,
    paged: {
      vectors: rowsOf(bytesOf(graph.vectors), graph.count),
      links: rowsOf(bytesOf(linkRows(graph)), graph.count),
      layout: nearLayout(graph, Number.MAX_SAFE_INTEGER),
    },
  })
}

describe('loose rows', () => {
  it('give the hits of rows in their places, while there is room for them and after that', () => {
    const wishes = fc.record({
      seed: fc.nat(1000),
      metric: fc.constantFrom('l2' as const, 'ip' as const),
      count: fc.integer({ min: 1, max: 1200 }),
      dimensions: fc.constantFrom(1, 3, 16, 130),
      m: fc.constantFrom(2, 6),
      levels: fc.integer({ min: 0, max: 2 }),
      // Copies make a search load pages in between.
      values: fc.constantFrom('integers' as const, 'reals' as const),
    })
    fc.assert(
      fc.property(wishes, fc.array(fc.constantFrom(1, 2, 5, 40), { minLength: 1, maxLength: 24 }), (wish, efs) => {
        const graph = randomGraph(wish)
        const [near, paged] = [loadCore(graph), onDemand(graph)]
        const random = randomSource(wish.seed)
        for (const ef of efs) {
          const query = randomRows(random, 1, graph.dimensions, wish.values)
          expect(coreSearch(paged, query, Math.min(ef, 10), ef)).toEqual(coreSearch(near, query, Math.min(ef, 10), ef))
        }
      }),
      { numRuns: runs(120) },
    )
  })

  it('may be quantized vectors too', () => {
    for (const quantization of ['sq8', 'pq', 'binary'] as const) {
      const coded = codedGraph(quantization, 'cosine', 130)
      const [first, again] = [codedCore(coded), codedCore(coded)]
      for (let seed = 0; seed < 30; seed++) again.search(queryFor(coded, seed), 10, 40)
      for (let seed = 0; seed < 5; seed++) {
        expect(coreSearch(first, queryFor(coded, seed), 10, 40)).toEqual(
          coreSearch(again, queryFor(coded, seed), 10, 40),
        )
      }
    }
  })

  /** 1,000 rows of 256 bytes: room for 62 loose ones, where the last 4 of 63 pages belong. */
  function table(): { kernel: Kernel; pages: PageTable } {
    const kernel = Kernel.create()
    const bytes = Uint8Array.from({ length: 256_000 }, (_, i) => Math.floor(i / 256) % 251)
    return { kernel, pages: new PageTable(kernel, rowsOf(bytes, 1000), 256_000) }
  }

  it('lie side by side, once each, until there is no room', () => {
    const { kernel, pages } = table()
    expect(pages.nextSearch()).toBe(true)
    const first = pages.looseRow(700)
    for (let i = 1; i < 62; i++) expect(pages.looseRow((700 + 37 * i) % 1000)).toBe(first + 256 * i)
    expect(pages.looseRow(700)).toBe(first)
    for (let i = 0; i < 62; i++) expect(kernel.u8(first + 256 * i, 1)[0]).toBe(((700 + 37 * i) % 1000) % 251)
    expect(pages.looseRow(1)).toBe(0)
    expect(pages.nextSearch()).toBe(false)
  })

  it('end when a page is loaded into their place, and for no other page', () => {
    const { pages } = table()
    pages.load(3)
    expect(pages.looseRow(700)).toBeGreaterThan(0)
    pages.load(61)
    expect(pages.looseRow(700)).toBe(0)
  })

  it('end after a few searches, so that pages are loaded to stay', () => {
    const { pages } = table()
    const searches = Array.from({ length: 40 }, () => pages.nextSearch())
    expect(searches.filter(Boolean).length).toBe(16)
  })

  it('are not in tables whose pages come and go', () => {
    const bytes = new Uint8Array(256_000)
    expect(new PageTable(Kernel.create(), rowsOf(bytes, 1000), 100_000).nextSearch()).toBe(false)
  })
})
