import type { FieldData } from './field-data.js'

/** The files of one text field of a generation. */
export interface TextFiles {
  readonly terms: FieldData
  readonly postings: FieldData
  /** The column: a length for each node. */
  readonly lengths: FieldData
}

/** The length of a text that a node has not. */
export const NO_TEXT = 0xffffffff
