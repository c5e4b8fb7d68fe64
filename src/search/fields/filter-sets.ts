import type { FilterNode, FilterLeaf } from '../../fields/filter-node.js'
import { filterKey } from '../../fields/filter/filter-key.js'
import { allBits, andBits, countBits, orBits, removeBits, wordsFor } from './bits.js'

/** The rows that a filter keeps. Others use it too: never written to. */
export interface FilterSet {
  /** A bit for each node. */
  readonly bits: Uint32Array
  /** Number of bits that are set. */
  readonly size: number
}

/** What fills the bits of one leaf. */
export interface LeafSource {
  /** Sets the bits of the rows that the leaf keeps, as if it were not negated. */
  keep(leaf: FilterLeaf, bits: Uint32Array): void
  /** Sets the bits of the rows with a value of the field. */
  keepPresent(field: number, bits: Uint32Array): void
}

/** Filters that are kept filled, where there is memory. */
export const MOST_FILTERS = 64

/** Longest key of a filter that is kept: one with many thousand values takes more memory than its bits. */
const MOST_KEY_LENGTH = 2 ** 16

/** From filters to bits. The last filters stay filled. */
export class FilterSets {
  readonly #count: number
  readonly #source: LeafSource
  readonly #most: number
  /** By key, the most recently used last. */
  readonly #filled = new Map<string, FilterSet>()

  /** `most`: filters that are kept filled, at least 1. */
  constructor(count: number, source: LeafSource, most = MOST_FILTERS) {
    this.#count = count
    this.#source = source
    this.#most = most
  }

  /** @throws CorruptIndexError */
  select(filter: FilterNode): FilterSet {
    const key = filterKey(filter)
    let filled = this.#filled.get(key)
    if (filled === undefined) {
      const bits = this.#fill(filter)
      filled = { bits, size: countBits(bits) }
    }
    if (key.length > MOST_KEY_LENGTH) return filled
    this.#filled.delete(key)
    this.#filled.set(key, filled)
    if (this.#filled.size > this.#most) {
      const [oldest] = this.#filled.keys()
      this.#filled.delete(oldest)
    }
    return filled
  }

  #fill(filter: FilterNode): Uint32Array {
    switch (filter.op) {
      case 'all':
        return allBits(this.#count)
      case 'and': {
        const bits = filter.of.length === 0 ? allBits(this.#count) : this.#fill(filter.of[0])
        for (const part of filter.of.slice(1)) {
          // What nothing is left of stays empty.
          if (!bits.some((word) => word !== 0)) break
          andBits(bits, this.#fill(part))
        }
        return bits
      }
      case 'or': {
        const bits = this.#none()
        for (const part of filter.of) orBits(bits, this.#fill(part))
        return bits
      }
      default:
        return this.#fillLeaf(filter)
    }
  }

  #fillLeaf(leaf: FilterLeaf): Uint32Array {
    const bits = this.#none()
    if (leaf.op === 'exists') {
      this.#source.keepPresent(leaf.field, bits)
      if (!leaf.negated) return bits
      const absent = allBits(this.#count)
      removeBits(absent, bits)
      return absent
    }
    this.#source.keep(leaf, bits)
    if (!leaf.negated) return bits
    // What has no value is kept neither by a leaf nor by its negation.
    const present = this.#none()
    this.#source.keepPresent(leaf.field, present)
    removeBits(present, bits)
    return present
  }

  #none(): Uint32Array {
    return new Uint32Array(wordsFor(this.#count))
  }
}
