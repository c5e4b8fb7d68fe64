import type { NodeSet } from '../../api/search.js'

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

  /** A bit for each node. */
  get bits(): Uint32Array {
    return this.#bits
  }

  has(node: number): boolean {
    return (this.#bits[node >>> 5] & (1 << (node & 31))) !== 0
  }

  /** Ascending. */
  nodes(): Generator<number> {
    return nodesOfBits(this.#bits)
  }
}

/** The positions of bits that are set, ascending. */
export function* nodesOfBits(words: Uint32Array): Generator<number> {
  for (let word = 0; word < words.length; word++) {
    for (let bits = words[word]; bits !== 0; bits &= bits - 1) yield 32 * word + 31 - Math.clz32(bits & -bits)
  }
}

/** What both have. Words beyond the shorter one are not set. */
export function bothBits(a: Uint32Array, b: Uint32Array): { readonly bits: Uint32Array; readonly size: number } {
  const bits = new Uint32Array(Math.min(a.length, b.length))
  let size = 0
  for (let i = 0; i < bits.length; i++) {
    let word = (a[i] & b[i]) >>> 0
    bits[i] = word
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    size += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return { bits, size }
}
