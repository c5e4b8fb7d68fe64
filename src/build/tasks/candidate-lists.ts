/** Candidate neighbours of one node, united from the rows of all shards it was in. Reused from node to node. */
export class CandidateList {
  readonly nodes: Uint32Array
  readonly words: Uint32Array
  count = 0

  constructor(capacity: number) {
    this.nodes = new Uint32Array(capacity)
    this.words = new Uint32Array(capacity)
  }

  clear(): void {
    this.count = 0
  }

  /**
   * Inserts by (distance word, node); a node that is already there is dropped. A pair of nodes has the same distance
   * in every shard, because codes are the same there, so a repeat always meets itself among its equals.
   * Distance words order as unsigned numbers.
   */
  insert(node: number, word: number): void {
    const { nodes, words } = this
    let at = this.count
    while (at > 0 && (words[at - 1] > word || (words[at - 1] === word && nodes[at - 1] > node))) at--
    if (at > 0 && words[at - 1] === word && nodes[at - 1] === node) return
    nodes.copyWithin(at + 1, at, this.count)
    words.copyWithin(at + 1, at, this.count)
    nodes[at] = node
    words[at] = word
    this.count++
  }
}

/** Open-addressing set of nodes that remembers the place of each: one pass finds the distinct nodes of a chunk. */
export class NodePlaces {
  #keys: Uint32Array
  #places: Uint32Array
  #mask: number
  #count = 0

  constructor(expected: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)))
    this.#keys = new Uint32Array(size)
    this.#places = new Uint32Array(size)
    this.#mask = size - 1
  }

  get count(): number {
    return this.#count
  }

  /** Keys are stored plus one: 0 means free. Node numbers stay below 2^32 − 1. */
  add(node: number): void {
    const slot = this.#slotOf(node)
    if (this.#keys[slot] !== 0) return
    this.#keys[slot] = node + 1
    this.#count++
    if (this.#count * 2 > this.#keys.length) this.#grow()
  }

  /** All nodes, ascending; after this, `placeOf` gives a node's position in that order. */
  sorted(): Uint32Array {
    const nodes = new Uint32Array(this.#count)
    let at = 0
    for (const key of this.#keys) if (key !== 0) nodes[at++] = key - 1
    nodes.sort()
    nodes.forEach((node, place) => {
      this.#places[this.#slotOf(node)] = place
    })
    return nodes
  }

  placeOf(node: number): number {
    return this.#places[this.#slotOf(node)]
  }

  #slotOf(node: number): number {
    let slot = (Math.imul(node, 0x9e3779b1) >>> 7) & this.#mask
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== node + 1) slot = (slot + 1) & this.#mask
    return slot
  }

  #grow(): void {
    const old = this.#keys
    this.#keys = new Uint32Array(old.length * 2)
    this.#places = new Uint32Array(old.length * 2)
    this.#mask = this.#keys.length - 1
    for (const key of old) if (key !== 0) this.#keys[this.#slotOf(key - 1)] = key
  }
}
