/** What a search is filtered with, from the caller's ids to nodes. */
import { InvalidOptionError } from '../errors.js'
import type { Id } from '../api/vectors.js'
import type { NodeSet } from '../api/search.js'
import type { OpenGeneration } from './open-generation.js'

export interface NodeFilter {
  keeps(node: number): boolean
  /** How many are kept; an upper bound unless `counted`. */
  readonly size: number
  /** Whether `size` is exact. */
  readonly counted: boolean
  /** The nodes that are kept, ascending. */
  nodes(): Iterable<number>
}

/** @throws InvalidOptionError for a set of another generation */
export function nodeFilter(open: OpenGeneration, filter: NodeSet | ((id: Id) => boolean)): NodeFilter {
  const { facts, ids } = open
  if (typeof filter === 'function') {
    return {
      keeps: (node) => filter(ids.idOf(node)),
      size: facts.count,
      counted: false,
      nodes: () => nodesWhere(open, filter),
    }
  }
  if (filter.generation !== facts.generation) {
    throw new InvalidOptionError(
      `filter is a set of ${filter.generation}, but ${facts.generation} is searched; call select() again after a refresh`,
    )
  }
  return { keeps: (node) => filter.has(node), size: filter.size, counted: true, nodes: () => filter.nodes() }
}

/** The nodes whose ids `keeps` accepts, ascending. */
export function* nodesWhere({ facts, ids }: OpenGeneration, keeps: (id: Id) => boolean): Generator<number> {
  for (let node = 0; node < facts.count; node++) if (keeps(ids.idOf(node))) yield node
}

/** The nodes of the ids that the index has, in the order of the ids. */
export function* nodesOf({ lookup }: OpenGeneration, ids: Iterable<Id>): Generator<number> {
  for (const id of ids) {
    const node = lookup.nodeOf(id)
    if (node !== undefined) yield node
  }
}
