/** Searches base, parts and memory together. */
import type { SearchHit } from '../../api/search.js'
import type { GivenId, Id, VectorLike } from '../../api/vectors.js'
import { InvalidOptionError } from '../../errors.js'
import type { CheckedFilter, CheckedSearch } from '../check-search-options.js'
import { copyQuery } from '../copy-query.js'
import { FieldFilter } from '../filter/field-filter.js'
import { fieldsOfRow } from '../hit-fields.js'
import { bothBits } from '../filter/node-bits.js'
import { answerOf, filterOfBits, type NodeFilter } from '../filter/node-filter.js'
import type { LiveState } from './live-state.js'
import type { AskedBeam, Part, PartView } from './part.js'
import { RowSet, type ShownId } from './row-set.js'

export interface Found {
  readonly id: Id
  readonly distance: number
}

/** And where its nearest vector is. */
export interface FoundRow extends Found {
  readonly part: Part
  readonly row: number
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
  checked: CheckedSearch,
): SearchHit<GivenId>[] {
  const { metric, dimensions, fields } = state.settings
  const { select } = checked
  const copy = new Float32Array(dimensions)
  copyQuery(query, position, metric, copy)
  const found = findLive(state, shown, copy, checked)
  // In float32 the product of two unit vectors can be a little above 1; no cosine distance is below 0.
  const least = metric === 'cosine' ? 0 : Number.NEGATIVE_INFINITY
  return found.map(({ id, distance, part, row }) => ({
    id: shown(id),
    distance: Math.max(least, distance),
    ...(select !== undefined && fields !== undefined && { fields: fieldsOfRow(fields, part, row, select) }),
  }))
}

/** As `searchLive`, in ids as they are stored. `query`: f32, of unit length for cosine. */
export function findLive(
  state: LiveState,
  shown: ShownId,
  query: Float32Array,
  { filter, ...asked }: CheckedSearch,
): FoundRow[] {
  const found: FoundRow[] = []
  for (const view of state.views) {
    if (view.alive.alive === 0) continue
    const inPart = findInPart(view.part, query, asked, filterOf(view, filter, state, shown), state.settings)
    for (const one of inPart) found.push(one)
  }
  found.sort((a, b) => a.distance - b.distance || compareIds(a.id, b.id))
  return found.slice(0, asked.k)
}

/** Each id once: all its rows that are alive lie in one part. */
export function findInPart(
  part: Part,
  query: Float32Array,
  asked: AskedBeam,
  filter: NodeFilter | undefined,
  { repeatedIds }: { readonly repeatedIds?: boolean },
): FoundRow[] {
  if (repeatedIds === true) {
    const ids = part.searchIds(query, asked, filter)
    return ids.map(({ id, distance, node }) => ({ id, distance, part, row: node }))
  }
  const count = part.search(query, asked, filter)
  return Array.from({ length: count }, (_, i) => {
    const row = part.nodes[i]
    return { id: part.idOf(row), distance: part.distances[i], part, row }
  })
}

/** Integers first, then text by its code units. */
export function compareIds(a: Id, b: Id): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : Number(a > b)
}

/** Undefined when every row is alive and wanted. */
export function filterOf(
  view: PartView,
  filter: CheckedFilter | undefined,
  state: LiveState,
  shown: ShownId,
): NodeFilter | undefined {
  const { part, alive } = view
  if (filter === undefined) return alive.filter()
  if (filter instanceof RowSet) return filter.filterOf(view)
  if (filter instanceof FieldFilter) return filterOfBits(bothBits(part.select(filter.node), alive.bits))
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
