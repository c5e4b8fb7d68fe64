/** One search, and one look-up, of a view: of the base alone where nothing was changed since it was built. */
import type { SearchHit, StoredVector } from '../../api/search.js'
import type { GivenId, Id, VectorLike } from '../../api/vectors.js'
import { baseAlone } from './base-alone.js'
import type { CheckedSearch } from '../check-search-options.js'
import { fieldsOfNode, fieldsOfRow } from '../hit-fields.js'
import { searchLive } from '../live/search-live.js'
import { nodesOf } from '../filter/node-filter.js'
import type { OpenView } from './open-view.js'
import { searchOne } from '../search-one.js'
import { searchHybrid } from '../words/search-hybrid.js'

/** @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError */
export function searchView(
  view: OpenView,
  query: VectorLike,
  position: number,
  checked: CheckedSearch,
): SearchHit<GivenId>[] {
  const { words } = checked
  if (words !== undefined) return searchHybrid(view, query, position, { ...checked, words })
  const base = baseAlone(view, checked)
  if (base !== undefined) return searchOne(base, query, position, checked)
  if (view.live === undefined) throw new Error('a view has a generation or changes')
  return searchLive(view.live.state, view.live.shown, query, position, checked)
}

/** The vectors of an id as they are stored, with their fields: one, but where ids may repeat. */
export function getVectors({ base, live }: OpenView, id: Id): StoredVector<GivenId>[] {
  if (live !== undefined) {
    const shown = live.shown(id)
    const { fields } = live.state.settings
    return live.state.find(id).map(({ view: { part }, row }) => ({
      id: shown,
      vector: part.vectorOf(row),
      ...(fields !== undefined && { fields: fieldsOfRow(fields, part, row) }),
    }))
  }
  if (base === undefined) return []
  const nodes = Array.from(nodesOf(base, [id]))
  return nodes.map((node) => ({
    id: base.ids.shownIdOf(node),
    vector: base.core.vectorOf(node),
    ...(base.fields !== undefined && { fields: fieldsOfNode(base, node) }),
  }))
}
