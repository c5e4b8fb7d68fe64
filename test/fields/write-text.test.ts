import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { StoredPostings } from '../../src/format/fields/postings-cursor.js'
import { TermsCursor } from '../../src/format/fields/terms-cursor.js'
import { TermsFile } from '../../src/format/fields/terms-file.js'
import { encodeTail } from '../../src/format/fields/terms-layout.js'
import { planText } from '../../src/search/fields/text/plan-text.js'
import { searchText } from '../../src/search/fields/text/search-text.js'
import { TextIndex } from '../../src/search/fields/text/text-index.js'
import { randomNumbers } from '../fixtures/tasks.js'
import { runs } from '../whole.js'
import { bm25Twin, expectSame, type Texts, type TwinHit } from './bm25-twin.js'
import { query, texts } from './texts.js'
import { BODY, bytesOf, dataOf, fieldData, openText, TITLE, writeTexts, type TextsWritten } from './text-files.js'

function search(parts: readonly TextIndex[], text: string, prefix = true, k = 1000): TwinHit[] {
  const searched = parts.map((part) => ({ part, plan: planText([part], { text, prefix }) }))
  const { nodes, scores } = searchText(searched, k)
  return Array.from(nodes, (node, i) => ({ node, score: scores[i] }))
}

/** Texts of words that are rarer the longer they are: more than fit into one block of terms. */
function randomTexts(count: number, seed: number): Texts {
  const random = randomNumbers(seed)
  const word = (): string => Math.floor(1 / (random() + 1e-4)).toString(36) + (random() < 0.1 ? 'é' : '')
  return Array.from({ length: count }, () =>
    random() < 0.1 ? undefined : Array.from({ length: Math.floor(30 * random()) }, word).join(' '),
  )
}

describe('texts in files', () => {
  it('are ranked as plain BM25 does', async () => {
    await fc.assert(
      fc.asyncProperty(texts, query, fc.boolean(), async (given, text, prefix) => {
        const bodies = given.toReversed()
        const written = await writeTexts(given, bodies)
        const parts = [openText(written, TITLE), openText(written, BODY)]
        expectSame(search(parts, text, prefix), bm25Twin([given, bodies], text, prefix))
      }),
      { numRuns: runs(60) },
    )
  })

  it('are ranked so where terms and postings are many', async () => {
    const given = randomTexts(6000, 1)
    const index = openText(await writeTexts(given, [], { segmentNodes: 2000 }), TITLE)
    expect(index.size).toBeGreaterThan(500)
    for (const text of ['1', '1 2 3 ', 'a', '2s é', '1é 7', 'zz', '0', 'rs', '99999']) {
      expectSame(search([index], text, true, 6000), bm25Twin([given], text, true))
    }
  })

  it('have the same bytes whatever the memory', async () => {
    const given = randomTexts(200, 2)
    const expected = bytesOf(await writeTexts(given, given))
    expect(expected.size).toBe(6)
    for (const options of [
      { budgetBytes: 0, limitBytes: 0 },
      { budgetBytes: 2 ** 15, limitBytes: 2 ** 14 },
    ]) {
      expect(bytesOf(await writeTexts(given, given, options))).toEqual(expected)
    }
  })

  it('may be missing altogether', async () => {
    const none = [undefined, undefined]
    const index = openText(await writeTexts(none, none), TITLE)
    expect([index.documents, index.tokens, index.size]).toEqual([0, 0, 0])
    expect(search([index], 'a')).toEqual([])
  })

  it('may be without words', async () => {
    const index = openText(await writeTexts(['', '--', undefined], []), TITLE)
    expect([index.documents, index.tokens, index.size]).toEqual([2, 0, 0])
    expect(search([index], 'a')).toEqual([])
  })

  it('may have a word in each of many nodes, many times', async () => {
    const given = Array.from({ length: 400 }, (_, node) => 'word '.repeat(1 + (node % 300)))
    const index = openText(await writeTexts(given, [], { budgetBytes: 0 }), TITLE)
    expect(index.frequency('word')).toBe(400)
    expectSame(search([index], 'word'), bm25Twin([given], 'word', true))
  })
})

describe('hostile files of texts', () => {
  /** A search over data that a test has changed; what it throws. */
  function outcome(data: Record<'terms' | 'postings' | 'column', Uint8Array>, count: number): unknown {
    try {
      const files = {
        terms: fieldData('terms', data.terms),
        postings: fieldData('postings', data.postings),
        lengths: fieldData('column', data.column),
      }
      const index = new TextIndex(files, count)
      for (const text of ['1', '1 2', 'a', 'zz', '']) search([index], text)
      return undefined
    } catch (error) {
      return error
    }
  }

  async function sound(): Promise<TextsWritten> {
    return writeTexts(randomTexts(300, 3), [])
  }

  function copyOf(written: TextsWritten): Record<'terms' | 'postings' | 'column', Uint8Array> {
    return {
      terms: dataOf(written, 'terms', TITLE),
      postings: dataOf(written, 'postings', TITLE),
      column: dataOf(written, 'column', TITLE),
    }
  }

  it.each(['terms', 'postings', 'column'] as const)('are refused, or searched, when %s are damaged', async (kind) => {
    const written = await sound()
    expect(outcome(copyOf(written), written.count)).toBeUndefined()
    const random = randomNumbers(4)
    let refused = 0
    for (let run = 0; run < runs(800); run++) {
      const data = copyOf(written)
      const bytes = data[kind]
      const from = random() < 0.5 ? 0 : Math.max(0, bytes.length - 200)
      for (let i = 0; i <= 3 * random(); i++) {
        bytes[from + Math.floor(random() * Math.min(200, bytes.length))] = [0, 1, 127, 128, 255][
          Math.floor(5 * random())
        ]
      }
      if (random() < 0.2) data[kind] = bytes.subarray(0, Math.floor(random() * bytes.length))
      const error = outcome(data, written.count)
      if (error === undefined) continue
      expect(error).toBeInstanceOf(CorruptIndexError)
      refused++
    }
    expect(refused).toBeGreaterThan(0)
  })

  it.each<[string, (data: Record<'terms' | 'postings' | 'column', Uint8Array>) => void, RegExp]>([
    ['a node beyond the index', ({ postings }) => postings.set([0xff, 0xff, 0xff, 0xff, 0x0f]), /have node/],
    ['a node twice', ({ postings }) => postings.fill(1), /have node -1/],
    ['numbers without an end', ({ postings }) => postings.fill(0xff), /number without an end/],
    [
      'more documents than nodes',
      ({ terms }) => terms.fill(0xff, terms.length - 16, terms.length - 8),
      /nodes have texts/,
    ],
    [
      'more terms than it has room for',
      ({ terms }) => terms.fill(0xff, terms.length - 40, terms.length - 32),
      /do not make/,
    ],
    [
      'postings of another length',
      ({ terms }) => terms.fill(0xff, terms.length - 24, terms.length - 18),
      /the postings have/,
    ],
    ['a first term that shares bytes', ({ terms }) => (terms[0] = 9), /wrong length/],
  ])('%s is refused', async (_, change, message) => {
    const written = await sound()
    const data = copyOf(written)
    change(data)
    const error = outcome(data, written.count)
    expect(error).toBeInstanceOf(CorruptIndexError)
    expect((error as CorruptIndexError).message).toMatch(message)
  })

  it('postings that end before or behind their last node are refused', () => {
    const two = fieldData('postings', Uint8Array.of(3, 3))
    const read = (bytes: number, documents: number): unknown =>
      new StoredPostings(two, { from: 0, bytes, documents, nodes: 9 }).fill(9, new Uint32Array(9), new Uint32Array(9))
    expect(read(2, 2)).toBe(2)
    expect(() => read(2, 1)).toThrow('go on after their last node')
    expect(() => read(1, 2)).toThrow('number without an end')
  })

  it('a term whose postings lie beyond those of the file is refused', async () => {
    const written = await writeTexts(['a'], [])
    const data = copyOf(written)
    expect([...data.terms.subarray(0, 5)]).toEqual([0, 1, 97, 1, 1])
    data.terms[4] = 100
    const index = (): TextIndex =>
      new TextIndex(
        {
          terms: fieldData('terms', data.terms),
          postings: fieldData('postings', data.postings),
          lengths: fieldData('column', data.column),
        },
        1,
      )
    expect(() => index().frequency('a')).toThrow('in postings of 100 bytes')
  })

  it('a block of terms that would take much memory is refused', () => {
    const entriesBytes = 2 ** 20
    const tail = encodeTail({ terms: 1, entriesBytes, postingsBytes: 0, documents: 1, tokens: 1 })
    const data = Buffer.concat([new Uint8Array(entriesBytes + 16), tail])
    const cursor = new TermsCursor(new TermsFile(fieldData('terms', data), 1, 0))
    expect(() => cursor.next()).toThrow('block 0 of terms lies at bytes 0 to 1048576')
  })
})
