import type { NodeSet } from '../../api/search.js'
import { storedId } from '../../api/integer-id.js'
import type { GivenId, Id } from '../../api/vectors.js'
import { bothBits, nodesOfBits, NodeBits } from '../filter/node-bits.js'
import { answerOf, type IdFilter, type NodeFilter } from '../filter/node-filter.js'
import type { LiveState } from './live-state.js'
import type { Part, PartView } from './part.js'

/** Ids, or what says whether an id is in the set. */
export type RowChoice = { readonly ids: readonly Id[] } | { readonly keeps: IdFilter; readonly shown: ShownId }

/** An id as the caller wants it. */
export type ShownId = (id: Id) => GivenId

/**
 * A set of vectors of a live index. What it chooses is found once for each part, also for parts that came after it, so
 * that it holds for as long as the index is open.
 */
export class RowSet implements NodeSet {
  readonly generation: string
  /** Vectors in it when it was made. */
  readonly size: number
  readonly #base: PartView | undefined
  readonly #choice: RowChoice
  /** By part: which rows are chosen, alive or dead, and how many rows the part had. */
  readonly #chosen = new WeakMap<Part, { readonly rows: number; readonly bits: NodeBits }>()

  constructor(state: LiveState, choice: RowChoice) {
    this.#choice = choice
    this.#base = state.base
    this.generation = state.base?.part.name ?? ''
    this.size = state.views.reduce((sum, view) => sum + this.filterOf(view).size, 0)
  }

  static of(ids: Iterable<GivenId>, state: LiveState): RowSet {
    return new RowSet(state, { ids: Array.from(ids, storedId) })
  }

  /** Whether a node of the generation is in it. */
  has(node: number): boolean {
    return this.#base !== undefined && this.#base.alive.has(node) && this.#bitsOf(this.#base.part).has(node)
  }

  /** Nodes of the generation, ascending. */
  nodes(): Iterable<number> {
    return this.#base === undefined ? [] : this.filterOf(this.#base).nodes()
  }

  /** Chosen rows that are alive. */
  filterOf({ part, alive }: PartView): NodeFilter {
    return bitsFilter(this.#bitsOf(part).bits, alive.bits)
  }

  #bitsOf(part: Part): NodeBits {
    const known = this.#chosen.get(part)
    if (known?.rows === part.rows) return known.bits
    const bits = new NodeBits(part.name, part.rows, chosenRows(part, this.#choice))
    this.#chosen.set(part, { rows: part.rows, bits })
    return bits
  }
}

/** Rows that have both bits. */
export function bitsFilter(chosen: Uint32Array, alive: Uint32Array): NodeFilter {
  const { bits, size } = bothBits(chosen, alive)
  const keeps = (row: number): boolean => ((bits[row >>> 5] >>> (row & 31)) & 1) === 1
  return { keeps, size, counted: true, nodes: () => nodesOfBits(bits), bits }
}

function* chosenRows(part: Part, choice: RowChoice): Generator<number> {
  if ('ids' in choice) {
    for (const id of choice.ids) yield* part.rowsOf(id)
    return
  }
  for (let row = 0; row < part.rows; row++) if (answerOf(choice.keeps, choice.shown(part.idOf(row)))) yield row
}
