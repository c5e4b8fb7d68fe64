import type { NodeSet } from '../api/search.js'

/** A set of nodes of one generation: a bit for each. `index.select` makes one. */
export class NodeBits implements NodeSet {
  readonly generation: string
  /** Number of nodes in the set. */
  readonly size: number
  readonly #bits: Uint32Array

  /** @param nodes may repeat */
  constructor(generation: string, count: number, nodes: Iterable<number>) {
    this.generation = generation
    this.#bits = new Uint32Array(Math.ceil(count / 32))
    let size = 0
    for (const node of nodes) {
      const bit = 1 << (node & 31)
      if ((this.#bits[node >>> 5] & bit) === 0) size++
      this.#bits[node >>> 5] |= bit
    }
    this.size = size
  }

  has(node: number): boolean {
    return (this.#bits[node >>> 5] & (1 << (node & 31))) !== 0
  }

  /** Ascending. */
  *nodes(): Generator<number> {
    for (let word = 0; word < this.#bits.length; word++) {
      for (let bits = this.#bits[word]; bits !== 0; bits &= bits - 1) {
        yield 32 * word + 31 - Math.clz32(bits & -bits)
      }
    }
  }
}
