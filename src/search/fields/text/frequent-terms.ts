/** Keeps the terms that most nodes have: at most `most`; of equals, those that come first in the order of their bytes. */
export class FrequentTerms {
  readonly #most: number
  readonly #terms: { readonly term: string; readonly nodes: number }[] = []

  constructor(most: number) {
    this.#most = most
  }

  /** Whether a term that comes after all others, with so many nodes, would be kept. */
  wants(nodes: number): boolean {
    const last = this.#terms.at(-1)
    return this.#terms.length < this.#most || (last !== undefined && nodes > last.nodes)
  }

  add(term: string, nodes: number): void {
    let at = this.#terms.length
    while (at > 0 && isBefore(term, nodes, this.#terms[at - 1])) at--
    this.#terms.splice(at, 0, { term, nodes })
    if (this.#terms.length > this.#most) this.#terms.pop()
  }

  /** Most nodes first. */
  get kept(): ReadonlyMap<string, number> {
    return new Map(this.#terms.map(({ term, nodes }) => [term, nodes]))
  }
}

function isBefore(term: string, nodes: number, other: { readonly term: string; readonly nodes: number }): boolean {
  if (nodes !== other.nodes) return nodes > other.nodes
  return Buffer.compare(Buffer.from(term), Buffer.from(other.term)) < 0
}
