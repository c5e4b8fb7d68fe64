/** The parts of a view that a search asks, and what it finds in them. */
import type { GivenId, Id } from '../api/vectors.js'
import { baseAlone } from './view/base-alone.js'
import type { CheckedFilter, CheckedSearch } from './check-search-options.js'
import { GraphPart } from './live/graph-part.js'
import type { Part } from './live/part.js'
import { findInPart, findLive, filterOf, type FoundRow } from './live/search-live.js'
import { nodeFilter, nodesOf, type NodeFilter } from './filter/node-filter.js'
import type { OpenView } from './view/open-view.js'

export interface AskedPart {
  readonly part: Part
  /** Undefined: every row. */
  readonly filter: NodeFilter | undefined
}

/** All parts of a view, and what the filter keeps of each. @throws InvalidOptionError, CorruptIndexError */
export function askedParts(view: OpenView, filter: CheckedFilter | undefined): AskedPart[] {
  const base = baseAlone(view, { filter })
  if (base !== undefined) {
    return [{ part: new GraphPart(base.facts.generation, base, 0), filter: filter && nodeFilter(base, filter) }]
  }
  const { live } = view
  if (live === undefined) throw new Error('a view has a generation or changes')
  return live.state.views
    .filter(({ alive }) => alive.alive > 0)
    .map((each) => ({ part: each.part, filter: filterOf(each, filter, live.state, live.shown) }))
}

/** The nearest ids of all parts. `query`: f32, of unit length for cosine. @throws InvalidOptionError, CorruptIndexError */
export function findNearest(view: OpenView, query: Float32Array, asked: CheckedSearch): FoundRow[] {
  const base = baseAlone(view, asked)
  if (base !== undefined) {
    const filter = asked.filter && nodeFilter(base, asked.filter)
    return findInPart(new GraphPart(base.facts.generation, base, 0), query, asked, filter, base.facts)
  }
  if (view.live === undefined) throw new Error('a view has a generation or changes')
  return findLive(view.live.state, view.live.shown, query, asked)
}

/** Where the vectors of an id are, as the view is now. */
export function rowsIn({ base, live }: OpenView): (id: Id) => readonly { part: Part; rows: readonly number[] }[] {
  if (live !== undefined) {
    return (id) => live.state.find(id).map(({ view: { part }, row }) => ({ part, rows: [row] }))
  }
  if (base === undefined) throw new Error('a view has a generation or changes')
  const part = new GraphPart(base.facts.generation, base, 0)
  return (id) => [{ part, rows: Array.from(nodesOf(base, [id])) }]
}

/** A stored id as the caller wants it. */
export function shownIn({ base, live }: OpenView, id: Id): GivenId {
  return live?.shown(id) ?? base?.ids.shown(id) ?? id
}

export function idsRepeatIn({ facts, live }: OpenView): boolean {
  return live?.state.settings.repeatedIds ?? facts.repeatedIds
}
