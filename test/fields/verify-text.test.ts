import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { verifyText } from '../../src/format/verify/verify-text.js'
import { BODY, dataOf, fieldData, openFile, openText, TITLE, writeTexts } from './text-files.js'

const titles = ['a b a', undefined, 'b c', '', 'a', 'a a b c d']
const write = () => writeTexts(titles, titles.toReversed())
const count = titles.length
const KINDS = ['terms', 'postings', 'column'] as const

describe('verified texts', () => {
  it.each([TITLE, BODY])('are sound as a build writes them: field %i', async (field) => {
    const written = await write()
    const [terms, postings, lengths] = KINDS.map((kind) => openFile(written, kind, field))
    await expect(verifyText({ terms, postings, lengths }, count)).resolves.toBeUndefined()
  })

  it.each<[string, (data: { terms: Uint8Array; postings: Uint8Array; lengths: Uint8Array }) => void, RegExp]>([
    ['another length', ({ lengths }) => lengths[0]++, /5 texts of 11 terms, the column has 5 of 12/],
    [
      'swapped lengths',
      ({ lengths }) => ([lengths[0], lengths[8]] = [lengths[8], lengths[0]]),
      /do not match the lengths/,
    ],
    ['a term missing', ({ lengths }) => lengths.fill(0xff, 12, 16), /the column has 4 of/],
    ['terms in another order', ({ terms }) => (terms[2] = 'z'.charCodeAt(0)), /not after the one before/],
    ['another node', ({ postings }) => (postings[postings.length - 2] -= 2), /do not match the lengths/],
  ])('are refused with %s', async (_, change, message) => {
    const written = await write()
    const [terms, postings, lengths] = KINDS.map((kind) => dataOf(written, kind, TITLE))
    const data = { terms, postings, lengths }
    change(data)
    const files = {
      terms: fieldData('terms', data.terms),
      postings: fieldData('postings', data.postings),
      lengths: fieldData('column', data.lengths),
    }
    const error: unknown = await verifyText(files, count).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CorruptIndexError)
    expect((error as CorruptIndexError).reason).toMatch(message)
  })
})

it('nodes without a text are told from those with an empty one', async () => {
  const index = openText(await write(), TITLE)
  const bits = Uint32Array.of(0)
  index.keepPresent(bits)
  expect(bits[0]).toBe(0b111101)
})
