/**
 * Text to terms: what is indexed, and what is looked up.
 *
 * A word is a run of letters, digits and marks. Terms are words in lower case and without diacritics: NFKD, less the
 * diacritics of Latin, Greek, Cyrillic, Hebrew and Arabic, lower case, NFC. Vowel signs of other scripts stay: without
 * them different words would be one. Scripts that are written without spaces, and Hangul, give overlapping pairs of
 * characters instead; one that stands alone is a term by itself. A term above 64 bytes is cut at a character.
 *
 * The tables of Unicode are those of the running Node.js: characters that are newer than it separate words.
 */

import { characterClass, LETTER, MARK, PAIRED, SEPARATOR } from './character-class.js'

/** Bytes of UTF-8 of the longest term. */
export const MAX_TERM_BYTES = 64

/** Takes the bytes of a term from 0 to `length`, which are overwritten by the next one. */
export type TakeTerm = (bytes: Uint8Array, length: number) => void

/** By ASCII character: itself in lower case, or 0 when it separates words. */
const LOWER = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[a-z0-9]/i.test(character) ? character.toLowerCase().charCodeAt(0) : 0
})

/** Marks that words of Latin, Greek, Cyrillic, Hebrew and Arabic are also written without, and the tatweel: ranges. */
const DIACRITIC_RANGES =
  '0300-036f 0483-0487 1ab0-1aff 1dc0-1dff 20d0-20ff fe20-fe2f 0591-05bd 05bf 05c1-05c2 05c4-05c5 05c7 ' +
  '0610-061a 0640 064b-065f 0670 06d6-06dc 06df-06e8 06ea-06ed'

const DIACRITICS = new RegExp(`[${DIACRITIC_RANGES.replace(/[0-9a-f]{4}/g, '\\u$&').replaceAll(' ', '')}]+`, 'gu')

const scratch = Buffer.alloc(MAX_TERM_BYTES)

/** The end of a text that ends inside a word. */
const OPEN = /[\p{L}\p{N}]\p{M}*$/u

/** Calls `take` for each term of UTF-8 text, in order. Returns how many there are. */
export function eachTerm(text: Uint8Array, from: number, to: number, take: TakeTerm): number {
  let terms = 0
  for (let at = from; at < to;) {
    // A piece without ASCII separators. It is plain when it has nothing but ASCII, as most pieces are.
    let length = 0
    let plain = true
    let end = at
    for (; end < to; end++) {
      const byte = text[end]
      if (byte >= 128) {
        plain = false
        continue
      }
      const lower = LOWER[byte]
      if (lower === 0) break
      if (length < MAX_TERM_BYTES) scratch[length++] = lower
    }
    if (end > at) {
      if (plain) {
        take(scratch, length)
        terms++
      } else {
        terms += eachTermOfPiece(Buffer.from(text.buffer, text.byteOffset + at, end - at).toString('utf8'), take)
      }
    }
    at = end + 1
  }
  return terms
}

/** Of a piece that is not ASCII. */
function eachTermOfPiece(piece: string, take: TakeTerm): number {
  const text = normalForm(piece)
  let terms = 0
  /** Of the word or run: the class of its characters, and where it begins. */
  let kind = SEPARATOR
  let from = 0
  for (let at = 0; at <= text.length;) {
    const codePoint = text.codePointAt(at)
    const next = codePoint === undefined ? SEPARATOR : characterClass(codePoint)
    if (next !== kind && !(next === MARK && kind !== SEPARATOR)) {
      if (kind === LETTER) {
        take(scratch, writeCut(text.slice(from, at)))
        terms++
      } else if (kind === PAIRED) {
        terms += eachPair(text.slice(from, at), take)
      }
      kind = next === MARK ? SEPARATOR : next
      from = at
    }
    at += codePoint !== undefined && codePoint > 0xffff ? 2 : 1
  }
  return terms
}

/** Of a run of characters that are paired, each with its marks. */
function eachPair(run: string, take: TakeTerm): number {
  const begins: number[] = []
  for (let at = 0; at < run.length;) {
    const codePoint = run.codePointAt(at) ?? 0
    if (characterClass(codePoint) !== MARK) begins.push(at)
    at += codePoint > 0xffff ? 2 : 1
  }
  const pairs = Math.max(1, begins.length - 1)
  for (let i = 0; i < pairs; i++) take(scratch, writeCut(run.slice(begins[i], begins[i + 2])))
  return pairs
}

/** Of a piece of text. The sigma at the end of a word is another letter only in how it looks. */
function normalForm(piece: string): string {
  return piece.normalize('NFKD').replace(DIACRITICS, '').toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}

/** Writes the text, or as many whole characters as there is room for, and returns the bytes. */
const writeCut = (text: string): number => scratch.write(text, 0, MAX_TERM_BYTES, 'utf8')

export interface QueryTerms {
  /** In order, repeated ones too. */
  readonly terms: readonly string[]
  /** Whether the text ends inside the last one, so that it may be the beginning of a word. */
  readonly open: boolean
}

/** The terms of a query. */
export function queryTerms(text: string): QueryTerms {
  const bytes = Buffer.from(text, 'utf8')
  const terms: string[] = []
  eachTerm(bytes, 0, bytes.length, (term, length) =>
    terms.push(Buffer.from(term.buffer, term.byteOffset, length).toString('utf8')),
  )
  return { terms, open: OPEN.test(text) }
}
