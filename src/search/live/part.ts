/** One searchable set of rows: the base, a sealed part, or the changes in memory. */
import type { Id } from '../../api/vectors.js'
import type { FilterNode } from '../../fields/filter-node.js'
import type { FacetCount } from '../fields/facets.js'
import type { TextPart } from '../fields/text/text-part.js'
import type { FoundId } from '../ids/best-ids.js'
import type { NodeFilter } from '../filter/node-filter.js'
import type { AliveRows } from './alive-rows.js'

export interface AskedBeam {
  readonly k: number
  readonly ef: number
  readonly rerank?: number | undefined
}

export interface Part {
  /** Of the generation or the part; for errors and reports. */
  readonly name: string
  readonly rows: number
  /** Results of the last search, nearest first: valid up to its return value, until the next search. */
  readonly nodes: Uint32Array
  readonly distances: Float32Array
  /** The nearest rows that the filter keeps. `query`: f32, of unit length for cosine. Returns how many. */
  search(query: Float32Array, asked: AskedBeam, filter: NodeFilter | undefined): number
  /** The nearest k ids of an index where ids may repeat, each by its nearest row that the filter keeps. */
  searchIds(query: Float32Array, asked: AskedBeam, filter: NodeFilter | undefined): readonly FoundId[]
  /** Compares rows, which ascend: `take` gets the position of each in `rows`, and its distance. */
  compare(query: Float32Array, rows: Uint32Array, take: (at: number, distance: number) => void): void
  idOf(row: number): Id
  /** The row of an id, alive or dead; of several the newest. */
  rowOf(id: Id): number | undefined
  /** All rows of an id, alive or dead. */
  rowsOf(id: Id): readonly number[]
  /** A copy; of unit length for cosine. */
  vectorOf(row: number): Float32Array
  /** The number of the change that the row came with. */
  sequenceOf(row: number): number
  /**
   * The rows that a filter on fields keeps, alive or dead: a bit for each, valid until the next call. Only where the index
   * has fields.
   */
  select(filter: FilterNode): Uint32Array
  /** The encoded fields of a row: valid until the next call. Undefined where the index has none. */
  fieldRow(row: number): Uint8Array | undefined
  /** The inverted index of a field of type text, by its position. */
  textOf(field: number): TextPart
  /** How many rows of `bits`, or of all, have each value of a field: not for text, stored and geo. */
  facets(field: number, bits?: Uint32Array): readonly FacetCount[]
  close(): Promise<void>
}

/** A part, and which of its rows are in the index. */
export interface PartView<Kind extends Part = Part> {
  readonly part: Kind
  readonly alive: AliveRows
}
