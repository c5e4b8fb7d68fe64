/** A change as the log keeps it, checked before it is written and when it is read. */
import type { Id } from '../../api/vectors.js'
import type { FieldRows } from '../../fields/field-rows.js'
import { isSequence } from './log-header.js'

/** The rows of one `upsert` batch, or the ids of one `delete`. */
export interface Change {
  readonly kind: 'upsert' | 'delete'
  /** One for each row, at least one. */
  readonly ids: readonly Id[]
  /** Row-major, rows x dimensions; empty for a delete. */
  readonly vectors: Float32Array
  /** Of an upsert, where the index has fields: one for each row. */
  readonly fields?: FieldRows
  /** The sequence of the first row. Row i has firstSequence + i, unless `sequences` says otherwise. */
  readonly firstSequence: number
  /** The sequence of each row, ascending, where rows of a compacted log are not consecutive. */
  readonly sequences?: Float64Array
}

/** The sequence of one row. */
export function sequenceOf({ firstSequence, sequences }: Change, at: number): number {
  return sequences === undefined ? firstSequence + at : sequences[at]
}

/** The sequence of the last row. */
export function lastSequenceOf({ ids, firstSequence, sequences }: Change): number {
  return sequences === undefined ? firstSequence + (ids.length - 1) : sequences[sequences.length - 1]
}

/** What is wrong with the sequences of a change, as a sentence; undefined when nothing is. */
export function sequenceFault({ firstSequence, sequences }: Change, rows: number): string | undefined {
  if (!isSequence(firstSequence) || !isSequence(firstSequence + (rows - 1))) {
    return `${rows} rows cannot have sequences from ${firstSequence} on`
  }
  if (sequences === undefined) return undefined
  if (sequences.length !== rows) return `${sequences.length} sequences for ${rows} rows`
  if (sequences[0] !== firstSequence) return `the first sequence is ${sequences[0]}, not ${firstSequence}`
  for (let i = 1; i < rows; i++) {
    if (!isSequence(sequences[i]) || sequences[i] <= sequences[i - 1]) {
      return `sequence ${sequences[i]} follows ${sequences[i - 1]}`
    }
  }
  return undefined
}
