import type { Id } from '../../api/vectors.js'

/** Characters of ids that are kept: with ids of 100 characters, those of 10,000 vectors. */
const MOST_CHARACTERS = 2 ** 20

/** Ids of the last vectors, for error messages. Long ids are forgotten sooner, so that they take no memory to speak of. */
export class RecentIds {
  readonly #ids: (Id | undefined)[]
  #oldest = 0
  #end = 0
  #characters = 0

  /** Remembers up to `most` ids. */
  constructor(most: number) {
    this.#ids = new Array<Id | undefined>(most).fill(undefined)
  }

  add(id: Id, ordinal: number): void {
    if (ordinal !== this.#end) this.#oldest = this.#end = ordinal
    if (this.#end - this.#oldest === this.#ids.length) this.#forgetOldest()
    this.#ids[ordinal % this.#ids.length] = id
    this.#end++
    this.#characters += charactersOf(id)
    while (this.#characters > MOST_CHARACTERS && this.#oldest < this.#end) this.#forgetOldest()
  }

  /** Undefined when it is forgotten, or was never given. */
  of(ordinal: number): Id | undefined {
    return ordinal >= this.#oldest && ordinal < this.#end ? this.#ids[ordinal % this.#ids.length] : undefined
  }

  #forgetOldest(): void {
    const place = this.#oldest % this.#ids.length
    this.#characters -= charactersOf(this.#ids[place])
    this.#ids[place] = undefined
    this.#oldest++
  }
}

function charactersOf(id: Id | undefined): number {
  return typeof id === 'string' ? id.length : 0
}
