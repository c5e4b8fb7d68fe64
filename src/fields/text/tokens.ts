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

/** Bytes of UTF-8 of the longest term. */
export const MAX_TERM_BYTES = 64

/** Takes the bytes of a term from 0 to `length`, which are overwritten by the next one. */
export type TakeTerm = (bytes: Uint8Array, length: number) => void

/** By ASCII character: itself in lower case, or 0 when it separates words. */
const LOWER = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[a-z0-9]/i.test(character) ? character.toLowerCase().charCodeAt(0) : 0
})

/** Combining marks that words of Latin, Greek, Cyrillic, Hebrew and Arabic are also written without; and the tatweel. */
const DIACRITICS = new RegExp(
  String.raw`[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f` +
    String.raw`\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7` +
    String.raw`\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]+`,
  'gu',
)

const PAIRED = [
  'scx=Han',
  'scx=Hira',
  'scx=Kana',
  'scx=Hang',
  'scx=Bopo',
  'scx=Thai',
  'scx=Laoo',
  'scx=Khmr',
  'scx=Mymr',
]
  .map((script) => `\\p{${script}}`)
  .join('')

/** A run of a script without spaces, or a word of others. */
const RUN = new RegExp(
  String.raw`((?:(?=[${PAIRED}])[\p{L}\p{N}]\p{M}*)+)|(?:(?![${PAIRED}])[\p{L}\p{N}]\p{M}*)+`,
  'gu',
)

/** A character with its marks. */
const CHARACTER = /\P{M}\p{M}*/gu

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

function eachTermOfPiece(piece: string, take: TakeTerm): number {
  const text = normalForm(piece)
  let terms = 0
  for (const { 0: run, 1: paired } of text.matchAll(RUN) as Iterable<readonly [string, string | undefined]>) {
    if (paired === undefined) {
      take(scratch, writeCut(run))
      terms++
      continue
    }
    const characters = paired.match(CHARACTER) ?? []
    const last = Math.max(1, characters.length - 1)
    for (let i = 0; i < last; i++) take(scratch, writeCut(characters[i] + (characters[i + 1] ?? '')))
    terms += last
  }
  return terms
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
