import type { Id } from '../../api/vectors.js'
import { FieldRowList } from '../../fields/field-row-list.js'
import type { FieldRows } from '../../fields/field-rows.js'
import type { LiveState, MemoryView } from '../../search/live/live-state.js'
import { deletesInOrder, type Deletes } from './deletes.js'

/** What parts in memory hold, for a thread that seals it. */
export interface FrozenRows {
  readonly views: readonly MemoryView[]
  readonly ids: readonly Id[]
  /** In shared memory: a thread need not copy them, and another can have them again. */
  readonly vectors: Float32Array
  /** Where the index has such. */
  readonly fields: FieldRows | undefined
  readonly sequences: Float64Array
  readonly deletes: Deletes
  /** Where each of the rows was. */
  readonly origins: readonly { readonly view: MemoryView; readonly row: number }[]
}

/**
 * Rows that are alive, and deletes, of the oldest parts in memory: as many as have `mostRows`, at least one. Not of the
 * last one, which takes changes.
 */
export function frozenRows(state: LiveState, mostRows: number): FrozenRows {
  const { dimensions, fields: schema } = state.settings
  const fields = schema && new FieldRowList()
  const views = oldestOf(state.memories.slice(0, -1), mostRows)
  const count = views.reduce((sum, { alive }) => sum + alive.alive, 0)
  const vectors = new Float32Array(new SharedArrayBuffer(4 * count * dimensions))
  const ids: Id[] = []
  const sequences: number[] = []
  const origins: { view: MemoryView; row: number }[] = []
  const deletes = new Map<Id, number>()
  for (const view of views) {
    const rows = view.part.vectors()
    for (const row of view.alive.nodes()) {
      vectors.set(rows.subarray(row * dimensions, (row + 1) * dimensions), ids.length * dimensions)
      ids.push(view.part.idOf(row))
      sequences.push(view.part.sequenceOf(row))
      origins.push({ view, row })
      const fieldRow = view.part.fieldRow(row)
      if (fieldRow !== undefined) fields?.add(fieldRow)
    }
    for (const [id, sequence] of view.part.deletes) deletes.set(id, sequence)
  }
  return {
    views,
    ids,
    vectors,
    fields: fields?.copy(),
    sequences: Float64Array.from(sequences),
    origins,
    deletes: deletesInOrder(deletes),
  }
}

function oldestOf(views: readonly MemoryView[], mostRows: number): readonly MemoryView[] {
  let rows = 0
  const beyond = views.findIndex(({ alive }, at) => {
    rows += alive.alive
    return at > 0 && rows > mostRows
  })
  return beyond < 0 ? views : views.slice(0, beyond)
}
