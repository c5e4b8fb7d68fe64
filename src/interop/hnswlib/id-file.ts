import { InvalidFileError } from '../../errors.js'
import { readIdLines } from '../../sources/lines/id-lines.js'
import type { Id } from '../../api/vectors.js'

/** The lines of a file of ids, read in step with elements: line n has the id of the element with label n. */
export class IdFile {
  readonly #path: string
  readonly #lines: ReturnType<typeof readIdLines>
  #current: Id[] = []
  #at = 0
  #taken = 0

  constructor(path: string) {
    this.#path = path
    this.#lines = readIdLines(path)
  }

  /** The next line. @throws InvalidFileError when there is none, PathError */
  async next(): Promise<Id> {
    if (this.#at === this.#current.length) {
      const next = await this.#lines.next()
      if (next.done === true) {
        throw new InvalidFileError(this.#path, `it has ${this.#taken} ids, but the index has more elements`)
      }
      this.#current = next.value
      this.#at = 0
    }
    this.#taken++
    return this.#current[this.#at++]
  }

  /** @throws InvalidFileError when a line is left */
  async end(): Promise<void> {
    const left = this.#at < this.#current.length || (await this.#lines.next()).done !== true
    if (left) throw new InvalidFileError(this.#path, `it has more ids than the index has elements (${this.#taken})`)
  }

  async close(): Promise<void> {
    await this.#lines.return()
  }
}
