/** One search, and one look-up, of a view: of the base alone where nothing was changed since it was built. */
import type { SearchHit, StoredVector } from '../api/search.js'
import type { GivenId, Id, VectorLike } from '../api/vectors.js'
import type { CheckedSearch } from './check-search-options.js'
import { RowSet } from './live/row-set.js'
import { searchLive } from './live/search-live.js'
import { nodesOf } from './node-filter.js'
import type { OpenGeneration } from './open-generation.js'
import type { OpenView } from './open-view.js'
import { searchOne } from './search-one.js'

/** @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError */
export function searchView(
  view: OpenView,
  query: VectorLike,
  position: number,
  checked: CheckedSearch,
): SearchHit<GivenId>[] {
  const base = baseAlone(view, checked)
  if (base !== undefined) return searchOne(base, query, position, checked)
  if (view.live === undefined) throw new Error('a view has a generation or changes')
  return searchLive(view.live.state, view.live.shown, query, position, checked)
}

/** The generation, where it has all that a search may find. */
export function baseAlone({ base, live }: OpenView, { filter }: CheckedSearch): OpenGeneration | undefined {
  if (live === undefined) return base
  // Not the view's: the changes may lie on a newer one by now.
  return live.state.isBaseOnly && !(filter instanceof RowSet) ? live.state.base?.part.open : undefined
}

/** The vectors of an id as they are stored: one, but where ids may repeat. */
export function getVectors({ base, live }: OpenView, id: Id): StoredVector<GivenId>[] {
  if (live !== undefined) {
    const shown = live.shown(id)
    return live.state.find(id).map(({ view, row }) => ({ id: shown, vector: view.part.vectorOf(row) }))
  }
  if (base === undefined) return []
  const nodes = Array.from(nodesOf(base, [id]))
  return nodes.map((node) => ({ id: base.ids.shownIdOf(node), vector: base.core.vectorOf(node) }))
}
