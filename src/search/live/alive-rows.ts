/** Which rows of a part are in the index: a row is dead when a newer version replaced it, or a delete removed it. */
import { nodesOfBits } from '../filter/node-bits.js'
import type { NodeFilter } from '../filter/node-filter.js'

export class AliveRows {
  #bits: Uint32Array
  #rows = 0
  #dead = 0

  /** All rows are alive, but for `dead` ones, which ascend. */
  constructor(rows: number, dead: Iterable<number> = []) {
    this.#bits = new Uint32Array(Math.ceil(rows / 32))
    this.grow(rows)
    for (const row of dead) this.kill(row)
  }

  /** Rows, alive and dead. */
  get rows(): number {
    return this.#rows
  }
  get alive(): number {
    return this.#rows - this.#dead
  }
  get dead(): number {
    return this.#dead
  }
  /** A bit for each row, set when it is alive; bits beyond the last row are not set. Valid until the next `grow`. */
  get bits(): Uint32Array {
    return this.#bits
  }

  has(row: number): boolean {
    return ((this.#bits[row >>> 5] >>> (row & 31)) & 1) === 1
  }

  /** Returns whether the row was alive. */
  kill(row: number): boolean {
    if (!this.has(row)) return false
    this.#bits[row >>> 5] &= ~(1 << (row & 31))
    this.#dead++
    return true
  }

  /** Rows up to `rows` are there from now on, and alive. */
  grow(rows: number): void {
    if (Math.ceil(rows / 32) > this.#bits.length) {
      const bits = new Uint32Array(Math.max(2 * this.#bits.length, Math.ceil(rows / 32)))
      bits.set(this.#bits)
      this.#bits = bits
    }
    let row = this.#rows
    for (; row < rows && (row & 31) !== 0; row++) this.#bits[row >>> 5] |= 1 << (row & 31)
    for (; row + 32 <= rows; row += 32) this.#bits[row >>> 5] = 0xffffffff
    for (; row < rows; row++) this.#bits[row >>> 5] |= 1 << (row & 31)
    this.#rows = rows
  }

  /** Ascending. */
  nodes(): Generator<number> {
    return nodesOfBits(this.#bits)
  }

  /** Ascending. */
  deadRows(): Uint32Array {
    const dead = new Uint32Array(this.#dead)
    let at = 0
    for (let word = 0; at < dead.length; word++) {
      for (let bits = ~this.#bits[word]; bits !== 0 && at < dead.length; bits &= bits - 1) {
        dead[at++] = 32 * word + 31 - Math.clz32(bits & -bits)
      }
    }
    return dead
  }

  /** Undefined when all rows are alive. */
  filter(): NodeFilter | undefined {
    if (this.#dead === 0) return undefined
    return {
      keeps: (row) => this.has(row),
      size: this.alive,
      counted: true,
      nodes: () => this.nodes(),
      bits: this.#bits,
    }
  }
}
