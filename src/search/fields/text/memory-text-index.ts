import { eachTerm } from '../../../fields/text/tokens.js'
import type { PostingsCursor } from '../../../format/fields/postings-cursor.js'
import { FrequentTerms } from './frequent-terms.js'
import { WINDOW_NODES, type TextPart } from './text-part.js'

/** The rows of a term, and how often they have it. */
interface TermRows {
  readonly rows: number[]
  readonly times: number[]
}

/** The inverted index of one text field of rows in memory, to which rows are appended. Meant for thousands of them. */
export class MemoryTextIndex implements TextPart {
  readonly #terms = new Map<string, TermRows>()
  #lengths = new Uint32Array(WINDOW_NODES)
  #documents = 0
  #tokens = 0
  #lastRow = -1

  get documents(): number {
    return this.#documents
  }

  get tokens(): number {
    return this.#tokens
  }

  /** Adds the text of a row, as UTF-8 or a string. Rows ascend; those without a text are left out. */
  add(row: number, text: string | Uint8Array): void {
    if (row <= this.#lastRow) throw new RangeError(`row ${row} after row ${this.#lastRow}`)
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    const length = eachTerm(bytes, 0, bytes.length, (term, termBytes) =>
      this.#addTerm(Buffer.from(term.buffer, term.byteOffset, termBytes).toString('utf8'), row),
    )
    this.#lastRow = row
    this.#setLength(row, length)
    this.#documents++
    this.#tokens += length
  }

  frequency(term: string): number {
    return this.#terms.get(term)?.rows.length ?? 0
  }

  longerTerms(prefix: string, most: number): ReadonlyMap<string, number> {
    const frequent = new FrequentTerms(most)
    for (const [term, { rows }] of this.#terms) {
      if (term.length > prefix.length && term.startsWith(prefix)) frequent.add(term, rows.length)
    }
    return frequent.kept
  }

  postings(term: string): PostingsCursor | undefined {
    const found = this.#terms.get(term)
    return found && new RowsCursor(found)
  }

  lengths(window: number): Uint32Array {
    return this.#lengths.subarray(window * WINDOW_NODES, (window + 1) * WINDOW_NODES)
  }

  #addTerm(term: string, row: number): void {
    const found = this.#terms.get(term)
    if (found === undefined) {
      this.#terms.set(term, { rows: [row], times: [1] })
    } else if (found.rows[found.rows.length - 1] === row) {
      found.times[found.times.length - 1]++
    } else {
      found.rows.push(row)
      found.times.push(1)
    }
  }

  #setLength(row: number, length: number): void {
    if (row >= this.#lengths.length) {
      const longer = new Uint32Array(2 ** Math.ceil(Math.log2(row + 1)))
      longer.set(this.#lengths)
      this.#lengths = longer
    }
    this.#lengths[row] = length
  }
}

class RowsCursor implements PostingsCursor {
  readonly #found: TermRows
  #at = 0

  constructor(found: TermRows) {
    this.#found = found
  }

  get node(): number {
    return this.#at < this.#found.rows.length ? this.#found.rows[this.#at] : Infinity
  }

  fill(limit: number, nodes: Uint32Array, counts: Uint32Array): number {
    const { rows, times } = this.#found
    let filled = 0
    for (; this.#at < rows.length && rows[this.#at] < limit; this.#at++, filled++) {
      nodes[filled] = rows[this.#at]
      counts[filled] = times[this.#at]
    }
    return filled
  }
}
