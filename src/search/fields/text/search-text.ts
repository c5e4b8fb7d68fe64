import { B, K1 } from '../../../fields/text/bm25.js'
import type { PostingsCursor } from '../../../format/fields/postings-cursor.js'
import type { TextPlan } from './plan-text.js'
import { WINDOW_NODES, type TextPart } from './text-part.js'
import { TopScores, type ScoredNodes } from './top-scores.js'

/** One field that is searched. */
export interface SearchedText {
  readonly part: TextPart
  readonly plan: TextPlan
}

/** Terms that count as one, on their way through the nodes. */
interface OpenTerms {
  readonly part: TextPart
  readonly cursors: readonly PostingsCursor[]
  readonly weight: number
  readonly averageLength: number
}

/**
 * The k nodes of one part whose texts fit best, best first: by the sum of BM25 over all fields and terms; of equal scores
 * the smaller nodes. `bits`: only these nodes. Goes through the nodes window by window, so that memory does not depend on
 * how many there are. @throws CorruptIndexError
 */
export function searchText(searched: readonly SearchedText[], k: number, bits?: Uint32Array): ScoredNodes {
  const open = searched.flatMap(({ part, plan }) =>
    plan.terms.map(({ terms, weight }): OpenTerms => {
      const cursors = terms.map((term) => part.postings(term)).filter((cursor) => cursor !== undefined)
      return { part, cursors, weight, averageLength: plan.averageLength }
    }),
  )
  const cursors = open.flatMap((terms) => terms.cursors)
  const top = new TopScores(k)
  const window = new Window(bits)
  for (let node = smallestNode(cursors); node < Infinity; node = smallestNode(cursors)) {
    window.move(Math.floor(node / WINDOW_NODES))
    for (const terms of open) window.score(terms)
    window.give(top)
  }
  return top.sorted()
}

function smallestNode(cursors: readonly PostingsCursor[]): number {
  let smallest = Infinity
  for (const { node } of cursors) if (node < smallest) smallest = node
  return smallest
}

/** Scores of adjacent nodes. */
class Window {
  readonly #bits: Uint32Array | undefined
  #number = 0
  readonly #scores = new Float64Array(WINDOW_NODES)
  /** Places in the window that have a score. */
  readonly #scored = new Uint32Array(WINDOW_NODES)
  #scoredCount = 0
  /** How often the terms of a group are there. */
  readonly #times = new Float64Array(WINDOW_NODES)
  readonly #nodes = new Uint32Array(WINDOW_NODES)
  readonly #counts = new Uint32Array(WINDOW_NODES)

  constructor(bits: Uint32Array | undefined) {
    this.#bits = bits
  }

  move(to: number): void {
    this.#number = to
  }

  /** Adds the scores of these terms. */
  score({ part, cursors, weight, averageLength }: OpenTerms): void {
    const found = cursors.length === 1 ? this.#fill(cursors[0]) : this.#unite(cursors)
    if (found === 0) return
    // Lengths are read from a file: not for a window of which the filter keeps nothing.
    let lengths: Uint32Array | undefined
    const base = this.#number * WINDOW_NODES
    const scale = (K1 * B) / averageLength
    for (let i = 0; i < found; i++) {
      const node = this.#nodes[i]
      if (this.#bits !== undefined && (this.#bits[node >>> 5] & (1 << (node & 31))) === 0) continue
      lengths ??= part.lengths(this.#number)
      const at = node - base
      const times = this.#counts[i]
      const score = (weight * times * (K1 + 1)) / (times + K1 * (1 - B) + scale * lengths[at])
      if (this.#scores[at] === 0) this.#scored[this.#scoredCount++] = at
      this.#scores[at] += score
    }
  }

  /** Gives the scores, and begins anew. */
  give(top: TopScores): void {
    const base = this.#number * WINDOW_NODES
    for (let i = 0; i < this.#scoredCount; i++) {
      const at = this.#scored[i]
      top.add(base + at, this.#scores[at])
      this.#scores[at] = 0
    }
    this.#scoredCount = 0
  }

  #fill(cursor: PostingsCursor): number {
    return cursor.fill((this.#number + 1) * WINDOW_NODES, this.#nodes, this.#counts)
  }

  /** Nodes that have any of the terms, and how often all of them are there. */
  #unite(cursors: readonly PostingsCursor[]): number {
    const base = this.#number * WINDOW_NODES
    let some = false
    for (const cursor of cursors) {
      const found = this.#fill(cursor)
      for (let i = 0; i < found; i++) this.#times[this.#nodes[i] - base] += this.#counts[i]
      some ||= found > 0
    }
    if (!some) return 0
    let united = 0
    for (let at = 0; at < WINDOW_NODES; at++) {
      if (this.#times[at] === 0) continue
      this.#nodes[united] = base + at
      this.#counts[united++] = this.#times[at]
      this.#times[at] = 0
    }
    return united
  }
}
