import { StoredPostings, type PostingsCursor } from '../../../format/fields/postings-cursor.js'
import type { FieldData } from '../../../format/fields/field-data.js'
import { NO_TEXT, type TextFiles } from '../../../format/fields/text-files.js'
import { TermsCursor } from '../../../format/fields/terms-cursor.js'
import { TermsFile } from '../../../format/fields/terms-file.js'
import { FrequentTerms } from './frequent-terms.js'
import { LengthPages } from './length-pages.js'
import { WINDOW_NODES, type TextPart } from './text-part.js'

/**
 * The inverted index of one text field of a generation. Terms and postings are read as they are looked up. Holds up to 4
 * MiB of terms and 32 MiB of lengths.
 */
export class TextIndex implements TextPart {
  readonly documents: number
  readonly tokens: number
  readonly #count: number
  readonly #terms: TermsFile
  readonly #cursor: TermsCursor
  readonly #postings: FieldData
  readonly #lengths: LengthPages

  /** `count`: nodes of the generation. @throws CorruptIndexError when sizes contradict each other */
  constructor({ terms, postings, lengths }: TextFiles, count: number) {
    this.#count = count
    this.#terms = new TermsFile(terms, count, postings.header.dataBytes)
    this.#cursor = new TermsCursor(this.#terms)
    this.#postings = postings
    this.#lengths = new LengthPages(lengths, count)
    this.documents = this.#terms.tail.documents
    this.tokens = this.#terms.tail.tokens
  }

  /** Different terms. */
  get size(): number {
    return this.#terms.tail.terms
  }

  frequency(term: string): number {
    return this.#find(term) ? this.#cursor.documents : 0
  }

  longerTerms(prefix: string, most: number): ReadonlyMap<string, number> {
    const bytes = Buffer.from(prefix)
    const cursor = this.#cursor
    const frequent = new FrequentTerms(most)
    for (let more = cursor.seek(bytes); more && cursor.startsWith(bytes); more = cursor.next()) {
      if (cursor.length === bytes.length || !frequent.wants(cursor.documents)) continue
      frequent.add(Buffer.from(cursor.term.buffer, 0, cursor.length).toString('utf8'), cursor.documents)
    }
    return frequent.kept
  }

  postings(term: string): PostingsCursor | undefined {
    if (!this.#find(term)) return undefined
    const { postingsFrom, postingsBytes, documents } = this.#cursor
    return new StoredPostings(this.#postings, {
      from: postingsFrom,
      bytes: postingsBytes,
      documents,
      nodes: this.#count,
    })
  }

  /** Sets the bits of the nodes that have a text. @throws CorruptIndexError */
  keepPresent(bits: Uint32Array): void {
    for (let first = 0; first < this.#count; first += WINDOW_NODES) {
      const lengths = this.#lengths.page(first / WINDOW_NODES)
      const nodes = Math.min(WINDOW_NODES, this.#count - first)
      for (let i = 0; i < nodes; i++) {
        if (lengths[i] !== NO_TEXT) bits[(first + i) >>> 5] |= 1 << (i & 31)
      }
    }
  }

  lengths(window: number): Uint32Array {
    return this.#lengths.page(window)
  }

  #find(term: string): boolean {
    const bytes = Buffer.from(term)
    return this.#cursor.seek(bytes) && this.#cursor.equals(bytes)
  }
}
