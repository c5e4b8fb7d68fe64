/** The k best of many scored nodes: by score, of equal scores the smaller nodes. A heap whose root is the worst. */
export class TopScores {
  readonly #most: number
  readonly #nodes: number[] = []
  readonly #scores: number[] = []

  constructor(most: number) {
    this.#most = most
  }

  add(node: number, score: number): void {
    if (this.#nodes.length < this.#most) {
      this.#nodes.push(node)
      this.#scores.push(score)
      this.#siftUp(this.#nodes.length - 1)
    } else if (this.#most > 0 && this.#isWorse(0, node, score)) {
      this.#siftDown(node, score)
    }
  }

  /** Best first. */
  sorted(): ScoredNodes {
    const order = Uint32Array.from(this.#nodes, (_, i) => i)
    order.sort((a, b) => this.#scores[b] - this.#scores[a] || this.#nodes[a] - this.#nodes[b])
    return {
      nodes: Uint32Array.from(order, (i) => this.#nodes[i]),
      scores: Float64Array.from(order, (i) => this.#scores[i]),
    }
  }

  /** Whether what is at `at` is worse than another one. */
  #isWorse(at: number, node: number, score: number): boolean {
    return this.#scores[at] < score || (this.#scores[at] === score && this.#nodes[at] > node)
  }

  #siftUp(at: number): void {
    const [node, score] = [this.#nodes[at], this.#scores[at]]
    for (let parent = (at - 1) >>> 1; at > 0 && !this.#isWorse(parent, node, score); parent = (at - 1) >>> 1) {
      this.#nodes[at] = this.#nodes[parent]
      this.#scores[at] = this.#scores[parent]
      at = parent
    }
    this.#nodes[at] = node
    this.#scores[at] = score
  }

  /** Puts it in place of the worst one. */
  #siftDown(node: number, score: number): void {
    const length = this.#nodes.length
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      const other = child + 1
      if (other < length && this.#isWorse(other, this.#nodes[child], this.#scores[child])) child = other
      if (!this.#isWorse(child, node, score)) break
      this.#nodes[at] = this.#nodes[child]
      this.#scores[at] = this.#scores[child]
      at = child
    }
    this.#nodes[at] = node
    this.#scores[at] = score
  }
}

export interface ScoredNodes {
  readonly nodes: Uint32Array
  readonly scores: Float64Array
}
