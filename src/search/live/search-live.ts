/** Searches base, parts and memory together. */
import type { NodeSet, SearchHit } from '../../api/search.js'
import type { GivenId, Id, VectorLike } from '../../api/vectors.js'
import { InvalidOptionError } from '../../errors.js'
import type { CheckedSearch } from '../check-search-options.js'
import { copyQuery } from '../copy-query.js'
import { answerOf, type IdFilter, type NodeFilter } from '../node-filter.js'
import type { LiveState } from './live-state.js'
import type { PartView } from './part.js'
import { RowSet, type ShownId } from './row-set.js'

interface Found {
  readonly id: Id
  readonly distance: number
}

/**
 * The nearest k of all parts, by distance, then by id. `position` names the query in errors.
 * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError
 */
export function searchLive(
  state: LiveState,
  shown: ShownId,
  query: VectorLike,
  position: number,
  { filter, ...asked }: CheckedSearch,
): SearchHit<GivenId>[] {
  const { metric, dimensions } = state.settings
  const copy = new Float32Array(dimensions)
  copyQuery(query, position, metric, copy)
  const found: Found[] = []
  for (const view of state.views) {
    if (view.alive.alive === 0) continue
    const { part } = view
    const count = part.search(copy, asked, filterOf(view, filter, state, shown))
    for (let i = 0; i < count; i++) found.push({ id: part.idOf(part.nodes[i]), distance: part.distances[i] })
  }
  found.sort((a, b) => a.distance - b.distance || compareIds(a.id, b.id))
  // In float32 the product of two unit vectors can be a little above 1; no cosine distance is below 0.
  const least = metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
  return found.slice(0, asked.k).map(({ id, distance }) => ({ id: shown(id), distance: Math.max(least, distance) }))
}

/** Integers first, then text by its code units. */
export function compareIds(a: Id, b: Id): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : Number(a > b)
}

/** Undefined when every row is alive and wanted. */
function filterOf(
  view: PartView,
  filter: NodeSet | IdFilter | undefined,
  state: LiveState,
  shown: ShownId,
): NodeFilter | undefined {
  const { part, alive } = view
  if (filter === undefined) return alive.filter()
  if (filter instanceof RowSet) return filter.filterOf(view)
  if (typeof filter === 'function') {
    const keeps = (row: number): boolean => alive.has(row) && answerOf(filter, shown(part.idOf(row)))
    const nodes = function* nodes(): Generator<number> {
      for (const row of alive.nodes()) if (keeps(row)) yield row
    }
    return { keeps, size: alive.alive, counted: false, nodes }
  }
  const generation = state.base?.part.name ?? ''
  if (filter.generation !== generation) {
    throw new InvalidOptionError(
      `filter is a set of ${filter.generation}, but ${generation} is searched; call select() again after a refresh`,
    )
  }
  // A set that was made before the first change: of the base alone.
  if (view !== state.base) return NOTHING
  const keeps = (row: number): boolean => alive.has(row) && filter.has(row)
  const nodes = function* nodes(): Generator<number> {
    for (const row of filter.nodes()) if (alive.has(row)) yield row
  }
  return { keeps, size: filter.size, counted: false, nodes }
}

const NOTHING: NodeFilter = { keeps: () => false, size: 0, counted: true, nodes: () => [] }
