/**
 * Which ids are surely not in an index: a split block Bloom filter (Putze, Sanders, Singler, 2007; the one of Parquet)
 * over the hashes of its id table. A block is eight words, and an id sets one bit in each, so a question costs one cache
 * line. Made in one pass over the table, which is sorted by hash, in memory for the filter alone.
 */
import { setImmediate } from 'node:timers/promises'
import { ID_TABLE_STRIDE_BYTES } from '../../format/segment/segment-file.js'
import { SEGMENT_BLOCK_BYTES } from '../../format/segment/segment-header.js'
import type { IdTable } from './id-table-window.js'

/** With 12, 0.54% of 1M ids that are not in the index pass; with 10, 1.26%. */
const BITS_PER_ID = 12
const BLOCK_WORDS = 8
const BLOCK_BITS = 32 * BLOCK_WORDS
/** Read at once: whole blocks of the segment, so that they are checked where they lie. */
const PIECE_BYTES = 64 * SEGMENT_BLOCK_BYTES
const ROW_WORDS = ID_TABLE_STRIDE_BYTES / 4
/** Odd numbers, one for each word of a block: those of Parquet. */
const SALTS = Uint32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
)

export class IdFilter {
  readonly #words: Uint32Array
  readonly #blocks: number

  private constructor(count: number) {
    this.#blocks = blocksFor(count)
    this.#words = new Uint32Array(this.#blocks * BLOCK_WORDS)
  }

  /** Of all ids in a table. Other work of the thread goes on in between. @throws CorruptIndexError */
  static async of(table: IdTable): Promise<IdFilter> {
    const { count } = table.header
    const filter = new IdFilter(count)
    const end = count * ID_TABLE_STRIDE_BYTES
    const words = new Uint32Array(Math.min(PIECE_BYTES, end) / 4)
    for (let at = 0; at < end; at += PIECE_BYTES) {
      if (at > 0) await setImmediate()
      const rows = words.subarray(0, (end - at) / 4)
      table.read(at, new Uint8Array(rows.buffer, 0, rows.byteLength))
      for (let row = 0; row < rows.length; row += ROW_WORDS) filter.#add(rows[row], rows[row + 1])
    }
    return filter
  }

  /** Bytes of the filter of this many ids. */
  static bytesFor(count: number): number {
    return (blocksFor(count) * BLOCK_BITS) / 8
  }

  /** False when no id of the index has this hash; true for all that have, and for a few others. */
  mayHave(high: number, low: number): boolean {
    const block = this.#blockOf(high)
    for (let i = 0; i < BLOCK_WORDS; i++) {
      if ((this.#words[block + i] & bitOf(low, i)) === 0) return false
    }
    return true
  }

  #add(high: number, low: number): void {
    const block = this.#blockOf(high)
    for (let i = 0; i < BLOCK_WORDS; i++) this.#words[block + i] |= bitOf(low, i)
  }

  /** Ascends with the hash: a pass over the sorted table goes through the filter once. */
  #blockOf(high: number): number {
    return Math.floor((high * this.#blocks) / 2 ** 32) * BLOCK_WORDS
  }
}

function blocksFor(count: number): number {
  return Math.max(1, Math.ceil((count * BITS_PER_ID) / BLOCK_BITS))
}

function bitOf(low: number, word: number): number {
  return 1 << (Math.imul(low, SALTS[word]) >>> 27)
}
