/** What a search is filtered with, from the caller's ids to nodes. */
import { InvalidOptionError } from '../../errors.js'
import { storedId } from '../../api/integer-id.js'
import type { GivenId } from '../../api/vectors.js'
import type { NodeSet } from '../../api/search.js'
import { isThenable, kindOf, letGo } from '../../wording/value-kind.js'
import { FieldFilter } from './field-filter.js'
import { nodesOfBits } from './node-bits.js'
import type { OpenGeneration } from '../open-generation.js'

export interface NodeFilter {
  keeps(node: number): boolean
  /** How many are kept; an upper bound unless `counted`. */
  readonly size: number
  /** Whether `size` is exact. */
  readonly counted: boolean
  /** The nodes that are kept, ascending. */
  nodes(): Iterable<number>
  /** The same as bits, where there are such. */
  readonly bits?: Uint32Array
}

/** A function of the id, as programs give it: it may return anything. */
export type IdFilter = (id: GivenId) => boolean

/** What bits keep, of which `size` are set. */
export function filterOfBits({ bits, size }: { readonly bits: Uint32Array; readonly size: number }): NodeFilter {
  return {
    keeps: (node) => ((bits[node >>> 5] >>> (node & 31)) & 1) === 1,
    size,
    counted: true,
    nodes: () => nodesOfBits(bits),
    bits,
  }
}

/** As bits: one for each of `rows`. */
export function bitsOf(filter: NodeFilter, rows: number): Uint32Array {
  const bits = new Uint32Array(Math.ceil(rows / 32))
  for (const row of filter.nodes()) bits[row >>> 5] |= 1 << (row & 31)
  return bits
}

/** @throws InvalidOptionError for a set of another generation; CorruptIndexError */
export function nodeFilter(open: OpenGeneration, filter: NodeSet | IdFilter | FieldFilter): NodeFilter {
  const { facts } = open
  if (filter instanceof FieldFilter) {
    if (open.fields === undefined) throw new Error('a filter by fields was parsed without fields')
    return filterOfBits(open.fields.select(filter.node))
  }
  if (typeof filter === 'function') {
    return {
      keeps: (node) => answerFor(open, filter, node),
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

/** The nodes whose ids `keeps` accepts, ascending. @throws InvalidOptionError when it returns no boolean */
export function* nodesWhere(open: OpenGeneration, keeps: IdFilter): Generator<number> {
  for (let node = 0; node < open.facts.count; node++) if (answerFor(open, keeps, node)) yield node
}

/** All nodes of the ids that the index has, in the order of the ids. @throws InvalidIdError */
export function* nodesOf({ lookup, facts }: OpenGeneration, ids: Iterable<GivenId>): Generator<number> {
  for (const id of ids) {
    if (facts.repeatedIds) {
      yield* lookup.nodesOf(storedId(id))
      continue
    }
    const node = lookup.nodeOf(storedId(id))
    if (node !== undefined) yield node
  }
}

/** Whether a value can be given as ids: a Set, an array, any iterable, but no string, whose items are characters. */
export function isIds(value: unknown): value is Iterable<GivenId> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

function answerFor({ ids }: OpenGeneration, keeps: IdFilter, node: number): boolean {
  return answerOf(keeps, ids.shownIdOf(node))
}

/**
 * A search does not wait, and a Promise is true whatever it resolves with.
 * @throws InvalidOptionError when the answer is no boolean
 */
export function answerOf(keeps: IdFilter, id: GivenId): boolean {
  const answer: unknown = keeps(id)
  if (typeof answer === 'boolean') return answer
  if (isThenable(answer)) letGo(answer)
  const fix = isThenable(answer) ? ': a search does not wait; ask before it, and give a Set of ids' : ''
  throw new InvalidOptionError(
    `a filter must return true or false, got ${kindOf(answer)} for the id ${typeof id === 'string' ? JSON.stringify(id) : String(id)}${fix}`,
  )
}
