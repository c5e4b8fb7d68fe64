/** Sets of vectors to filter searches with. */
import type { NodeSet } from '../../api/search.js'
import type { GivenId } from '../../api/vectors.js'
import { RowSet } from '../live/row-set.js'
import { NodeBits } from './node-bits.js'
import { nodesOf, nodesWhere, type IdFilter } from './node-filter.js'
import { baseOf, type OpenView } from '../view/open-view.js'

/** @throws InvalidOptionError when the function returns no boolean */
export function setWhere(view: OpenView, keeps: IdFilter): NodeSet {
  const { live } = view
  if (live !== undefined) return new RowSet(live.state, { keeps, shown: live.shown })
  const base = baseOf(view)
  return new NodeBits(base.facts.generation, base.facts.count, nodesWhere(base, keeps))
}

/** Ids that the index has not are left out. @throws InvalidIdError */
export function setOf(view: OpenView, ids: Iterable<GivenId>): NodeSet {
  if (view.live !== undefined) return RowSet.of(ids, view.live.state)
  const base = baseOf(view)
  return new NodeBits(base.facts.generation, base.facts.count, nodesOf(base, ids))
}
