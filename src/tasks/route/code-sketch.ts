import { hashOrdinal, SALT_SAMPLE } from '../../rows/hash-ordinal.js'

/** Places are below this, so that a hash and a place fit the 53 bits of a number. */
const PLACES = 2 ** 21
const FREE = -1

/**
 * The `wanted` distinct codes with the smallest hashes (a bottom-k sketch). Of two codes with the same hash, the one with
 * the smaller bytes is kept. Columns of numbers and one table: an object per code would be most of the work of sampling.
 */
export class CodeSketch {
  readonly #wanted: number
  readonly #rowBytes: number
  readonly #seed: number
  /** Hash and code by place: up to twice as many as wanted, until the smallest of them are kept. */
  readonly #hashes: Uint32Array
  #codes: Uint8Array
  #spare: Uint8Array
  #count = 0
  /** Place by hash, open addressing. */
  readonly #table: Int32Array
  #below = 2 ** 32

  constructor(wanted: number, rowBytes: number, seed: number) {
    this.#wanted = wanted
    this.#rowBytes = rowBytes
    this.#seed = seed
    this.#hashes = new Uint32Array(2 * wanted)
    this.#codes = new Uint8Array(2 * wanted * rowBytes)
    this.#spare = new Uint8Array(2 * wanted * rowBytes)
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(4 * wanted + 1))).fill(FREE)
  }

  /** The code at `at`, and its checksum. */
  offer(codes: Uint8Array, at: number, sum: number): void {
    const hash = hashOrdinal(this.#seed, SALT_SAMPLE, sum)
    if (hash >= this.#below) return
    let slot = this.#slotOf(hash)
    const place = this.#table[slot]
    if (place !== FREE) {
      const code = codes.subarray(at, at + this.#rowBytes)
      const kept = this.#codes.subarray(place * this.#rowBytes, (place + 1) * this.#rowBytes)
      if (Buffer.compare(code, kept) < 0) kept.set(code)
      return
    }
    if (this.#count === 2 * this.#wanted) {
      this.#keepSmallest()
      if (hash >= this.#below) return
      slot = this.#slotOf(hash)
    }
    this.#codes.set(codes.subarray(at, at + this.#rowBytes), this.#count * this.#rowBytes)
    this.#hashes[this.#count] = hash
    this.#table[slot] = this.#count++
  }

  /** The kept codes in the order of their hashes, in shared memory. */
  finish(): { codes: Uint8Array; count: number } {
    this.#keepSmallest()
    const codes = new Uint8Array(new SharedArrayBuffer(this.#count * this.#rowBytes))
    codes.set(this.#codes.subarray(0, codes.length))
    return { codes, count: this.#count }
  }

  /** The slot of a hash, or the free one where it belongs. */
  #slotOf(hash: number): number {
    const mask = this.#table.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = this.#table[slot]
      if (place === FREE || this.#hashes[place] === hash) return slot
    }
  }

  /** Keeps the `wanted` codes with the smallest hashes, in the order of their hashes. */
  #keepSmallest(): void {
    const rowBytes = this.#rowBytes
    const keys = new Float64Array(this.#count)
    for (let place = 0; place < keys.length; place++) keys[place] = this.#hashes[place] * PLACES + place
    keys.sort()
    this.#count = Math.min(this.#wanted, keys.length)
    this.#table.fill(FREE)
    for (let to = 0; to < this.#count; to++) {
      const from = keys[to] % PLACES
      this.#spare.set(this.#codes.subarray(from * rowBytes, (from + 1) * rowBytes), to * rowBytes)
    }
    for (let to = 0; to < this.#count; to++) {
      const hash = Math.floor(keys[to] / PLACES)
      // Slots are found by the hashes of those placed already.
      this.#hashes[to] = hash
      this.#table[this.#slotOf(hash)] = to
    }
    const codes = this.#codes
    this.#codes = this.#spare
    this.#spare = codes
    if (this.#count === this.#wanted) this.#below = this.#hashes[this.#count - 1] + 1
  }
}
