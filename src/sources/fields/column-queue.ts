/** Regroups the columns of a table, which come in pieces of any length, into as many rows as a batch has. */
import type { FieldColumn } from '../../api/fields.js'
import { InvalidFileError } from '../../errors.js'
import { viewKind } from '../../runtime/realms.js'

/** Values of consecutive rows of one column; null is missing. */
export type Pieces = AsyncGenerator<FieldColumn, void, void>

const SKIPPED_AT_ONCE = 10_000

class ColumnQueue {
  readonly #pieces: Pieces
  #current: FieldColumn = []
  #at = 0

  constructor(pieces: Pieces) {
    this.#pieces = pieces
  }

  /** The next `count` values; fewer only at the end. Typed where the pieces are. */
  async take(count: number): Promise<FieldColumn> {
    const taken: FieldColumn[] = []
    let missing = count
    while (missing > 0) {
      if (this.#at === this.#current.length) {
        const next = await this.#pieces.next()
        if (next.done === true) break
        this.#current = next.value
        this.#at = 0
      }
      const end = Math.min(this.#current.length, this.#at + missing)
      if (end > this.#at) taken.push(sliceColumn(this.#current, this.#at, end))
      missing -= end - this.#at
      this.#at = end
    }
    return joinColumns(taken)
  }

  async close(): Promise<void> {
    await this.#pieces.return()
  }
}

/** The columns of a file that become fields, side by side. */
export class FieldQueues {
  readonly #path: string
  readonly #queues: readonly (readonly [name: string, queue: ColumnQueue])[]

  constructor(path: string, columns: readonly { readonly name: string; readonly pieces: Pieces }[]) {
    this.#path = path
    this.#queues = columns.map(({ name, pieces }) => [name, new ColumnQueue(pieces)])
  }

  /** The next `count` rows. @throws InvalidFileError when a column has fewer */
  async take(count: number): Promise<Readonly<Record<string, FieldColumn>>> {
    const taken: [string, FieldColumn][] = []
    for (const [name, queue] of this.#queues) {
      const column = await queue.take(count)
      if (column.length < count) {
        const reason = `its column ${JSON.stringify(name)} has fewer rows than its column of vectors`
        throw new InvalidFileError(this.#path, reason)
      }
      taken.push([name, column])
    }
    return Object.fromEntries(taken)
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; left -= SKIPPED_AT_ONCE) await this.take(Math.min(SKIPPED_AT_ONCE, left))
  }

  async close(): Promise<void> {
    for (const [, queue] of this.#queues) await queue.close()
  }
}

/** A view of typed numbers, a copy of other values. */
export function sliceColumn(column: FieldColumn, from: number, to: number): FieldColumn {
  if (isNumbers(column)) return column.subarray(from, to)
  return Array.prototype.slice.call(column, from, to) as unknown[]
}

/** Typed where all parts are. */
export function joinColumns(parts: readonly FieldColumn[]): FieldColumn {
  if (parts.length === 1) return parts[0]
  const count = parts.reduce((sum, { length }) => sum + length, 0)
  const all = parts.every(isNumbers) ? new Float64Array(count) : new Array<unknown>(count)
  let at = 0
  for (const part of parts) for (let i = 0; i < part.length; i++) all[at++] = part[i]
  return all
}

function isNumbers(column: FieldColumn): column is Float64Array {
  return viewKind(column) === 'Float64Array'
}
