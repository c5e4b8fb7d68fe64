import { compareBytes } from '../../../fields/compare-bytes.js'
import { sortKeys } from './sort-keys.js'

const FIRST_BYTES = 2 ** 14
const FIRST_KEYS = 2 ** 10
/** A key's offset, hash and two slots, and what sorting takes. */
const KEY_OVERHEAD_BYTES = 4 + 4 + 8 + 16
/** Arrays are doubled: what is held is at most twice what is used, and while one is copied a half more. */
const USED_SHARE = 0.4

/**
 * Numbers distinct keys in the order in which they come: a hash table over bytes, with no object and no string for a
 * key. The largest tables hold 1 GiB.
 */
export class KeyTable {
  readonly #usableBytes: number
  #bytes = new Uint8Array(FIRST_BYTES)
  /** Where keys end in #bytes; the first one begins at 0. At i + 1: of key i. */
  #ends = new Uint32Array(FIRST_KEYS + 1)
  #hashes = new Uint32Array(FIRST_KEYS)
  /** A power of two of them, at most half full: 1 + the number of a key, or 0. */
  #slots = new Uint32Array(2 * FIRST_KEYS)
  #count = 0

  /** `budgetBytes`: of everything that it holds; `isFull` says when. */
  constructor(budgetBytes: number) {
    this.#usableBytes = Math.min(budgetBytes, 2 ** 30) * USED_SHARE
  }

  get count(): number {
    return this.#count
  }

  /** All keys, one after another. Valid until the next `codeOf`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** True: the memory is used up. A key more does no harm; millions do. */
  get isFull(): boolean {
    return this.#ends[this.#count] + KEY_OVERHEAD_BYTES * this.#count >= this.#usableBytes
  }

  /** Where key `code` begins in `bytes`. */
  from(code: number): number {
    return this.#ends[code]
  }

  to(code: number): number {
    return this.#ends[code + 1]
  }

  /** The number of the key that is the bytes `from` up to `to`, which is added when it is new. */
  codeOf(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOf(bytes, from, to)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const code = this.#slots[slot] - 1
      if (this.#hashes[code] === hash && this.#equals(code, bytes, from, to)) return code
    }
    return this.#add(hash, slot, bytes, from, to)
  }

  /** The numbers of all keys, by ascending keys. */
  sorted(): Uint32Array {
    return sortKeys(this.#bytes, this.#ends.subarray(0, this.#count + 1))
  }

  /** Forgets all keys and keeps the memory. */
  clear(): void {
    this.#count = 0
    this.#slots.fill(0)
  }

  #equals(code: number, bytes: Uint8Array, from: number, to: number): boolean {
    return compareBytes(this.#bytes, this.#ends[code], this.#ends[code + 1], bytes, from, to) === 0
  }

  #add(hash: number, slot: number, bytes: Uint8Array, from: number, to: number): number {
    const code = this.#count++
    const start = this.#ends[code]
    this.#makeRoom(start + to - from)
    for (let i = from, at = start; i < to; i++, at++) this.#bytes[at] = bytes[i]
    this.#ends[code + 1] = start + to - from
    this.#hashes[code] = hash
    this.#slots[slot] = code + 1
    if (2 * this.#count >= this.#slots.length) this.#widenSlots()
    return code
  }

  /** For `end` bytes of keys, and for the key that was counted just now. */
  #makeRoom(end: number): void {
    if (end > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      bytes.set(this.#bytes)
      this.#bytes = bytes
    }
    if (this.#count <= this.#hashes.length) return
    const ends = new Uint32Array(2 * this.#hashes.length + 1)
    ends.set(this.#ends)
    this.#ends = ends
    const hashes = new Uint32Array(2 * this.#hashes.length)
    hashes.set(this.#hashes)
    this.#hashes = hashes
  }

  #widenSlots(): void {
    const slots = new Uint32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let code = 0; code < this.#count; code++) {
      let slot = this.#hashes[code] & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = code + 1
    }
    this.#slots = slots
  }
}

/** FNV-1a, then mixed: the low bits choose the slot. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return (hash ^ (hash >>> 16)) >>> 0
}
