/**
 * A filter after parsing. `$not` is pushed down to the leaves, so that each leaf says by `negated` whether it keeps the
 * others. A row without a value is kept by no leaf but `exists` with `negated`: the logic of SQL, where unknown stays
 * unknown under NOT.
 */
export type FilterNode =
  /** Every row. */
  { readonly op: 'all' } | { readonly op: 'and' | 'or'; readonly of: readonly FilterNode[] } | FilterLeaf

export type FilterLeaf = InLeaf | RangeLeaf | NearLeaf | ExistsLeaf

interface Leaf {
  /** The position of the field in the schema. */
  readonly field: number
  readonly negated: boolean
}

/** One of the values; of a list, one of its items. Values: distinct, ascending (text by its UTF-8 bytes). */
export interface InLeaf extends Leaf {
  readonly op: 'in'
  readonly values: readonly string[] | readonly number[] | readonly boolean[]
}

/** Between bounds, of which at least one is there; of a list, one of its items. Dates are milliseconds. */
export interface RangeLeaf extends Leaf {
  readonly op: 'range'
  readonly low?: string | number
  readonly high?: string | number
  /** True: the bound itself is kept. */
  readonly lowIncluded: boolean
  readonly highIncluded: boolean
}

/** Within `km` of a place, by the haversine formula on a sphere of 6,371.0088 km. */
export interface NearLeaf extends Leaf {
  readonly op: 'near'
  readonly lat: number
  readonly lon: number
  readonly km: number
}

export interface ExistsLeaf extends Leaf {
  readonly op: 'exists'
}
