import type { Id } from '../../api/vectors.js'

/** Ids that were deleted, each with its last delete. */
export interface Deletes {
  readonly ids: readonly Id[]
  /** Ascending. */
  readonly sequences: Float64Array
}

export function deletesInOrder(sequenceOf: ReadonlyMap<Id, number>): Deletes {
  const ascending = [...sequenceOf].sort(([, a], [, b]) => a - b)
  return { ids: ascending.map(([id]) => id), sequences: Float64Array.from(ascending, ([, sequence]) => sequence) }
}
