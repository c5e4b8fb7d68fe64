import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryTextIndex } from '../../src/search/fields/text/memory-text-index.js'
import { planText } from '../../src/search/fields/text/plan-text.js'
import { searchText } from '../../src/search/fields/text/search-text.js'
import { WINDOW_NODES } from '../../src/search/fields/text/text-part.js'
import { runs } from '../whole.js'
import { bm25Twin, expectSame, type Texts, type TwinHit } from './bm25-twin.js'
import { query, texts } from './texts.js'

function indexOf(given: Texts, from = 0): MemoryTextIndex {
  const index = new MemoryTextIndex()
  for (const [row, text] of given.entries()) if (text !== undefined) index.add(from + row, text)
  return index
}

function search(
  parts: readonly MemoryTextIndex[],
  text: string,
  options: { k?: number; prefix?: boolean; bits?: Uint32Array } = {},
): TwinHit[] {
  const { k = 1000, prefix, bits } = options
  const searched = parts.map((part) => ({ part, plan: planText([part], { text, prefix }) }))
  const { nodes, scores } = searchText(searched, k, bits)
  return Array.from(nodes, (node, i) => ({ node, score: scores[i] }))
}

describe('a search for words', () => {
  it('ranks as plain BM25 does, over one field or two', () => {
    fc.assert(
      fc.property(texts, texts, query, fc.boolean(), (first, second, text, prefix) => {
        const fields = [first, second]
        expectSame(
          search(
            fields.map((one) => indexOf(one)),
            text,
            { prefix },
          ),
          bm25Twin(fields, text, prefix),
        )
      }),
      { numRuns: runs(400) },
    )
  })

  it('gives the k best, those of equal scores by their numbers', () => {
    const index = indexOf(['b', 'a', 'a b', 'a', undefined, 'a'])
    expect(search([index], 'a', { k: 2 }).map(({ node }) => node)).toEqual([1, 3])
    expect(search([index], 'a', { k: 0 })).toEqual([])
    expect(search([index], 'a').map(({ node }) => node)).toEqual([1, 3, 5, 2])
    expect(search([indexOf(['b', 'a', 'b'])], 'c a b ', { k: 2 }).map(({ node }) => node)).toEqual([1, 0])
    expect(search([indexOf(['b', 'a'])], 'a b ', { k: 1 }).map(({ node }) => node)).toEqual([0])
  })

  it('finds only what the filter keeps, with the same scores', () => {
    fc.assert(
      fc.property(
        texts,
        query,
        fc.bigInt(0n, 2n ** 40n - 1n),
        fc.integer({ min: 1, max: 40 }),
        (given, text, kept, k) => {
          const bits = Uint32Array.of(Number(kept & 0xffffffffn), Number(kept >> 32n))
          const index = indexOf(given)
          const all = search([index], text).filter(({ node }) => ((bits[node >>> 5] >>> (node & 31)) & 1) === 1)
          expect(search([index], text, { k, bits })).toEqual(all.slice(0, k))
        },
      ),
      { numRuns: runs(200) },
    )
  })

  it('goes through windows of nodes that are far apart', () => {
    const index = new MemoryTextIndex()
    const rows = [0, 5, WINDOW_NODES - 1, WINDOW_NODES, 7 * WINDOW_NODES + 3, 100 * WINDOW_NODES]
    for (const row of rows) index.add(row, row % 2 === 0 ? 'even word' : 'odd word')
    expect(search([index], 'word ').map(({ node }) => node)).toEqual(rows)
    expect(search([index], 'od').map(({ node }) => node)).toEqual(rows.filter((row) => row % 2 === 1))
  })

  it('finds nothing for a text without words, and in an index without texts', () => {
    expect(search([indexOf(['a'])], ' -- ')).toEqual([])
    expect(search([indexOf([undefined])], 'a')).toEqual([])
    expect(search([indexOf([''])], 'a')).toEqual([])
  })
})

describe('the last word of a query', () => {
  const index = indexOf(['panels', 'pan', 'pans and panels', 'other'])

  it('finds longer words, behind the word itself', () => {
    expect(search([index], 'pan').map(({ node }) => node)).toEqual([1, 0, 2])
  })

  it.each([
    ['a separator follows it', 'pan ', undefined],
    ['prefix is false', 'pan', false],
  ])('finds itself only when %s', (_, text, prefix) => {
    expect(search([index], text, { prefix }).map(({ node }) => node)).toEqual([1])
  })

  it('stands for the 128 most frequent of its longer words', () => {
    const many = new MemoryTextIndex()
    for (let row = 0; row < 300; row++)
      many.add(row, row < 290 ? `word${String(289 - row).padStart(3, '0')}` : 'word299')
    const found = search([many], 'word').map(({ node }) => node)
    expect(found.length).toBe(10 + 127)
    expect(Math.min(...found.filter((row) => row < 290))).toBe(289 - 126)
  })
})

describe('a score', () => {
  it('does not depend on the part that a text lies in', () => {
    fc.assert(
      fc.property(texts, query, fc.nat(40), (given, text, cut) => {
        const whole = indexOf(given)
        const parts = [indexOf(given.slice(0, cut)), indexOf(given.slice(cut))]
        const plan = planText(parts, { text })
        const found = parts.flatMap((part, at) => {
          const { nodes, scores } = searchText([{ part, plan }], 1000)
          return Array.from(nodes, (node, i) => ({ node: at * cut + node, score: scores[i] }))
        })
        found.sort((a, b) => b.score - a.score || a.node - b.node)
        expect(found).toEqual(search([whole], text))
      }),
      { numRuns: runs(200) },
    )
  })
})

it('rows of an index in memory ascend', () => {
  const index = indexOf(['a', 'b'])
  expect(() => index.add(1, 'c')).toThrow(RangeError)
})
