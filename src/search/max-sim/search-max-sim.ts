/** Searches with a query of several vectors: an id's distance is the sum over them of that to its nearest vector. */
import type { MultiVector, SearchHit } from '../../api/search.js'
import type { GivenId } from '../../api/vectors.js'
import { InvalidOptionError } from '../../errors.js'
import { MAX_UINT32 } from '../../options/limits.js'
import type { CheckedSearch } from '../check-search-options.js'
import { copyQuery, queryRows } from '../copy-query.js'
import { findNearest, rowsIn, shownIn } from '../find-nearest.js'
import { fieldsOfRow } from '../hit-fields.js'
import { compareIds, type Found } from '../live/search-live.js'
import { fieldsOf, type OpenView } from '../view/open-view.js'
import { chooseCandidates } from './choose-candidates.js'
import { scoreIds, type ScoredId } from './score-ids.js'

/** So many times as many ids are scored exactly as one vector of the query proposes. */
const CANDIDATES = 4
/** How many ids a vector of the query proposes, in multiples of max(k, ef): more only where fewer were not enough. */
export const ROUNDS = [1, 4] as const

/** @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError */
export function searchMaxSim(view: OpenView, given: MultiVector, checked: CheckedSearch): SearchHit<GivenId>[] {
  const queries = copiesOf(view, given)
  let ranked: Ranked | undefined
  for (const round of ROUNDS) {
    const asked = askedOf(checked, round)
    const proposals = queries.map((query) => findNearest(view, query, asked))
    ranked = rank(view, queries, proposals, checked, asked.k)
    if (ranked.isEnough) break
  }
  return ranked?.hits ?? []
}

/** The vectors of a query, checked, as float32, of unit length for cosine. @throws InvalidOptionError when there is none */
export function copiesOf({ facts }: OpenView, given: MultiVector): Float32Array[] {
  const rows = queryRows(given, facts.dimensions)
  if (rows.length === 0) throw new InvalidOptionError("a query with score 'maxSim' needs at least one vector")
  return rows.map((row, position) => {
    const copy = new Float32Array(facts.dimensions)
    copyQuery(row, position, facts.metric, copy)
    return copy
  })
}

/** What each vector of the query is searched with. */
export function askedOf(checked: CheckedSearch, round: number): CheckedSearch {
  const proposed = Math.min(round * Math.max(checked.k, checked.ef), MAX_UINT32)
  return { ...checked, k: proposed, ef: proposed }
}

export interface Ranked {
  readonly hits: SearchHit<GivenId>[]
  /** No id that was not proposed can be among the nearest k, as far as the proposals are the nearest ids. */
  readonly isEnough: boolean
}

/** The nearest k candidates of all vectors of a query, ranked exactly; of equal ones the lesser id first. */
export function rank(
  view: OpenView,
  queries: readonly Float32Array[],
  proposals: readonly (readonly Found[])[],
  { k, select }: Pick<CheckedSearch, 'k' | 'select'>,
  proposed: number,
): Ranked {
  const ids = chooseCandidates(proposals, CANDIDATES * proposed)
  const scored = scoreIds(ids, rowsIn(view), queries, view.facts.metric)
  scored.sort((a, b) => a.distance - b.distance || compareIds(a.id, b.id))
  const hits = scored.slice(0, k).map((each) => hitOf(view, each, select))
  // An id that no vector of the query proposed is at least as far as the last proposals of all together.
  const others = proposals.reduce((sum, found) => sum + (found.at(-1)?.distance ?? 0), 0)
  const hasAll = proposals.some((found) => found.length < proposed)
  return { hits, isEnough: hasAll || (hits.length === k && hits[k - 1].distance <= others) }
}

/** With the fields of one of the id's vectors. */
function hitOf(
  view: OpenView,
  { id, distance }: ScoredId,
  select: ReadonlySet<number> | undefined,
): SearchHit<GivenId> {
  const hit = { id: shownIn(view, id), distance }
  const fields = fieldsOf(view)
  const at = select && rowsIn(view)(id).find(({ rows }) => rows.length > 0)
  return fields === undefined || at === undefined
    ? hit
    : { ...hit, fields: fieldsOfRow(fields, at.part, at.rows[0], select) }
}
