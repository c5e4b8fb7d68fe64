/** A first-in first-out list. Array.shift moves every element; this shift moves elements only now and then. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** The element `index` places after the first; undefined past the end. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    // Drop the taken front once it is the larger half: at most one element moves for each one taken.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let index = this.#head; index < this.#items.length; index++) yield this.#items[index] as T
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
