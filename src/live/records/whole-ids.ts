/** How rows are cut into changes where an id may have several vectors: a change replaces all vectors of an id. */
import type { Id } from '../../api/vectors.js'
import { InvalidIdError } from '../../errors.js'

/** What a change takes: the rows of one id may have more bytes. */
export interface ChangeRoom {
  readonly rows: number
  readonly bytes: number
  readonly bytesOf: (row: number) => number
}

/**
 * Positions of rows, by change: as many as there is room for, and all rows of an id in one. Ids are in the order in which
 * they come first, rows of an id in the order in which they come. @throws InvalidIdError when one id has more rows
 */
export function cutByIds(ids: readonly Id[], room: ChangeRoom): Uint32Array[] {
  if (fits(ids.length, room)) return [Uint32Array.from(ids.keys())]
  const rowsOf = new Map<Id, number[]>()
  for (const [row, id] of ids.entries()) {
    const rows = rowsOf.get(id)
    if (rows === undefined) rowsOf.set(id, [row])
    else rows.push(row)
  }
  const changes: Uint32Array[] = []
  let open: number[] = []
  let bytes = 0
  for (const [id, rows] of rowsOf) {
    if (rows.length > room.rows) throw tooMany(id, room.rows)
    const added = rows.reduce((sum, row) => sum + room.bytesOf(row), 0)
    if (open.length > 0 && (open.length + rows.length > room.rows || bytes + added > room.bytes)) {
      changes.push(Uint32Array.from(open))
      open = []
      bytes = 0
    }
    for (const row of rows) open.push(row)
    bytes += added
  }
  changes.push(Uint32Array.from(open))
  return changes
}

function fits(rows: number, room: ChangeRoom): boolean {
  let bytes = 0
  for (let row = 0; row < rows && bytes <= room.bytes; row++) bytes += room.bytesOf(row)
  return rows <= room.rows && bytes <= room.bytes
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
