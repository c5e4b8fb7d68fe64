/** How rows are cut into changes where an id may have several vectors: a change replaces all vectors of an id. */
import type { Id } from '../api/vectors.js'
import { InvalidIdError } from '../errors.js'

/**
 * Positions of rows, by change: at most `most` in each, and all rows of an id in one. Ids are in the order in which they
 * come first, rows of an id in the order in which they come. @throws InvalidIdError when one id has more rows
 */
export function cutByIds(ids: readonly Id[], most: number): Uint32Array[] {
  if (ids.length <= most) return [Uint32Array.from(ids.keys())]
  const rowsOf = new Map<Id, number[]>()
  for (const [row, id] of ids.entries()) {
    const rows = rowsOf.get(id)
    if (rows === undefined) rowsOf.set(id, [row])
    else rows.push(row)
  }
  const changes: Uint32Array[] = []
  let open: number[] = []
  for (const [id, rows] of rowsOf) {
    if (rows.length > most) throw tooMany(id, most)
    if (open.length + rows.length > most) {
      changes.push(Uint32Array.from(open))
      open = []
    }
    for (const row of rows) open.push(row)
  }
  changes.push(Uint32Array.from(open))
  return changes
}

/**
 * Of rows that come one by one, one more than a change takes, how many to write now: the last id may go on.
 * @throws InvalidIdError when there is no other
 */
export function rowsToWrite(ids: readonly Id[]): number {
  const last = ids[ids.length - 1]
  let count = ids.length
  while (count > 0 && ids[count - 1] === last) count--
  if (count === 0) throw tooMany(last, ids.length - 1)
  return count
}

/** The ids that one call has written: an id that comes again would replace its own vectors. */
export class WrittenIds {
  readonly #ids = new Set<Id>()

  /** @throws InvalidIdError when one of them was written before */
  assertNew(ids: readonly Id[]): void {
    if (this.#ids.size === 0) return
    const again = ids.find((id) => this.#ids.has(id))
    if (again === undefined) return
    throw new InvalidIdError(
      `the id ${JSON.stringify(again)} comes again after its vectors were written, and would replace them: give all ` +
        'vectors of an id in one batch, or in records that follow each other',
    )
  }

  add(ids: readonly Id[]): void {
    for (const id of ids) this.#ids.add(id)
  }
}

function tooMany(id: Id, most: number): InvalidIdError {
  return new InvalidIdError(
    `the id ${JSON.stringify(id)} has more than ${most} vectors, and one change takes that many: build the index again, ` +
      'or give it fewer',
  )
}
