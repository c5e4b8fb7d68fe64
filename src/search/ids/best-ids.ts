import type { Id } from '../../api/vectors.js'

/** An id, and its vector that is nearest to the query. */
export interface FoundId {
  readonly id: Id
  readonly node: number
  readonly distance: number
}

/** The k nearest ids of vectors that come in any order: each once, by its nearest vector. */
export class BestIds {
  readonly #k: number
  /** Ascending by distance; of equal ones, what came first is first. */
  readonly #found: FoundId[] = []
  readonly #distances = new Map<Id, number>()

  constructor(k: number) {
    this.#k = k
  }

  get found(): readonly FoundId[] {
    return this.#found
  }
  get isFull(): boolean {
    return this.#found.length >= this.#k
  }
  /** A vector that is not nearer changes nothing. */
  get worst(): number {
    return this.isFull ? (this.#found.at(-1)?.distance ?? -Infinity) : Infinity
  }

  add(id: Id, node: number, distance: number): void {
    const before = this.#distances.get(id)
    if (before !== undefined) {
      if (distance >= before) return
      this.#remove(id, before)
    } else if (this.isFull) {
      const last = this.#found.at(-1)
      if (last === undefined || distance >= last.distance) return
      this.#found.pop()
      this.#distances.delete(last.id)
    }
    this.#found.splice(this.#placeAfter(distance), 0, { id, node, distance })
    this.#distances.set(id, distance)
  }

  #remove(id: Id, distance: number): void {
    let at = this.#placeAfter(distance) - 1
    while (this.#found[at].id !== id) at--
    this.#found.splice(at, 1)
  }

  /** Behind all that are as near. */
  #placeAfter(distance: number): number {
    let [from, to] = [0, this.#found.length]
    // Most vectors of a walk come in order.
    if (to === 0 || this.#found[to - 1].distance <= distance) return to
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#found[middle].distance <= distance) from = middle + 1
      else to = middle
    }
    return from
  }
}
