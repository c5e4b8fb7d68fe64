/** What a filter or a count asks of the column of one field, whatever its type. */
import type { FilterLeaf } from '../../../fields/filter-node.js'

export interface ValueColumn {
  /** Sets the bits of the rows that the leaf keeps, as if it were not negated. @throws CorruptIndexError */
  keep(leaf: FilterLeaf, bits: Uint32Array): void
  /** Sets the bits of the rows that have a value. @throws CorruptIndexError */
  keepPresent(bits: Uint32Array): void
  /** How many rows have each value, of the rows of `bits` or all. @throws CorruptIndexError */
  count(bits: Uint32Array | undefined): ValueCounts
}

/** Distinct values that some row has, by ascending values, and how many rows. */
export interface ValueCounts {
  readonly size: number
  valueOf(at: number): string | number | boolean
  readonly counts: ArrayLike<number>
}
