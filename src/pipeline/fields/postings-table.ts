import { MAX_POSTING_BYTES, writePosting } from '../../format/fields/write-posting.js'
import { ByteChains } from './sort/byte-chains.js'
import { KeyTable } from './sort/key-table.js'
import type { SortedRuns } from './sort/sorted-runs.js'

/**
 * Of the postings of a term in a run: u32 each, how many documents, the first node, the last one. Then the postings of a
 * file, with 0 in place of the first gap.
 */
export const PIECE_HEAD_BYTES = 12

const FIRST_TERMS = 2 ** 10
/** By term: five words here. */
const TERM_BYTES = 20
/** Arrays are doubled: what is held is at most twice what is used, and while one is copied a half more. */
const USED_SHARE = 0.4
/** A run is merged through memory, a term at a time: no term's postings become too large for that. */
const MAX_BYTES = 2 ** 27

/** Gathers the postings of terms, from texts of ascending nodes, until its memory is used up. */
export class PostingsTable {
  readonly #keys: KeyTable
  readonly #chains = new ByteChains()
  readonly #usableBytes: number
  readonly #posting = new Uint8Array(MAX_POSTING_BYTES)
  /** By term: nodes that have it; the first and the last one; how often the last one has it, which is not written yet. */
  #documents = new Uint32Array(FIRST_TERMS)
  #first = new Uint32Array(FIRST_TERMS)
  #last = new Uint32Array(FIRST_TERMS)
  #times = new Uint32Array(FIRST_TERMS)
  /** Between the last node and the one before. */
  #gap = new Uint32Array(FIRST_TERMS)

  constructor(budgetBytes: number) {
    const bytes = Math.min(budgetBytes, MAX_BYTES)
    this.#keys = new KeyTable(bytes / 2)
    this.#usableBytes = (bytes / 2) * USED_SHARE
  }

  get isEmpty(): boolean {
    return this.#keys.count === 0
  }

  /** True: the memory is used up. A text more does little harm; many do. */
  get isFull(): boolean {
    return this.#keys.isFull || this.#chains.usedBytes + TERM_BYTES * this.#keys.count >= this.#usableBytes
  }

  /** Adds one occurrence of the term that is `bytes` up to `length`. Nodes do not descend. */
  add(bytes: Uint8Array, length: number, node: number): void {
    const before = this.#keys.count
    const term = this.#keys.codeOf(bytes, 0, length)
    if (term === before) {
      this.#begin(term, node)
    } else if (this.#last[term] === node) {
      this.#times[term]++
    } else {
      this.#endPosting(term)
      this.#gap[term] = node - this.#last[term]
      this.#last[term] = node
      this.#times[term] = 1
      this.#documents[term]++
    }
  }

  /** Writes a run of all terms, and forgets them. */
  async spill(runs: SortedRuns): Promise<void> {
    runs.begin()
    let piece = new Uint8Array(2 ** 12)
    for (const term of this.#keys.sorted()) {
      this.#endPosting(term)
      const size = PIECE_HEAD_BYTES + this.#chains.length(term)
      if (size > piece.length) piece = new Uint8Array(2 * size)
      const head = new DataView(piece.buffer)
      head.setUint32(0, this.#documents[term], true)
      head.setUint32(4, this.#first[term], true)
      head.setUint32(8, this.#last[term], true)
      this.#chains.copy(term, piece, PIECE_HEAD_BYTES)
      const { bytes } = this.#keys
      const pushed = runs.add(bytes, this.#keys.from(term), this.#keys.to(term), piece.subarray(0, size))
      if (pushed !== undefined) await pushed
    }
    await runs.end()
    this.#keys.clear()
    this.#chains.clear()
  }

  #begin(term: number, node: number): void {
    if (term === this.#last.length) {
      this.#documents = doubled(this.#documents)
      this.#first = doubled(this.#first)
      this.#last = doubled(this.#last)
      this.#times = doubled(this.#times)
      this.#gap = doubled(this.#gap)
    }
    this.#chains.begin()
    this.#documents[term] = 1
    this.#first[term] = this.#last[term] = node
    this.#times[term] = 1
    this.#gap[term] = 0
  }

  #endPosting(term: number): void {
    const length = writePosting(this.#posting, 0, this.#gap[term], this.#times[term])
    this.#chains.append(term, this.#posting, length)
  }
}

function doubled(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * words.length)
  longer.set(words)
  return longer
}
