import type { CheckedSearch } from '../check-search-options.js'
import { RowSet } from '../live/row-set.js'
import type { OpenGeneration } from '../open-generation.js'
import type { OpenView } from './open-view.js'

/** The generation, where it has all that a search may find. */
export function baseAlone(
  { base, live }: OpenView,
  { filter }: Pick<CheckedSearch, 'filter'>,
): OpenGeneration | undefined {
  if (live === undefined) return base
  // Not the view's: the changes may lie on a newer one by now.
  return live.state.isBaseOnly && !(filter instanceof RowSet) ? live.state.base?.part.open : undefined
}
