/** A first-in first-out list with constant-time ends. Array.shift moves every element; this moves none most of the time. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** The element `index` places behind the first, or undefined past the end. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    // Give the front back once it is the larger half: each element is moved at most once for each one taken.
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
