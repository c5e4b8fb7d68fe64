/** Searches by a vector and by words, and by words alone. */
import type { SearchHit, TextHit } from '../../api/search.js'
import type { GivenId, Id, VectorLike } from '../../api/vectors.js'
import type { CheckedSearch, CheckedTextSearch, CheckedWords } from '../check-search-options.js'
import { copyQuery } from '../copy-query.js'
import { fuseRanks } from '../fields/fuse.js'
import { askedParts, findNearest, idsRepeatIn, rowsIn, shownIn } from '../find-nearest.js'
import { fieldsOfRow, type HitFields } from '../hit-fields.js'
import type { Part } from '../live/part.js'
import { scoreIds } from '../max-sim/score-ids.js'
import { fieldsOf, type OpenView } from '../view/open-view.js'
import { findWords } from './find-words.js'

/**
 * The nearest max(k, ef) ids and as many that fit the words best, united by their ranks: the best k. `position` names the
 * query in errors.
 * @throws DimensionMismatchError, InvalidVectorError, InvalidOptionError, CorruptIndexError
 */
export function searchHybrid(
  view: OpenView,
  query: VectorLike,
  position: number,
  checked: CheckedSearch & { readonly words: CheckedWords },
): SearchHit<GivenId>[] {
  const { metric, dimensions } = view.facts
  const copy = new Float32Array(dimensions)
  copyQuery(query, position, metric, copy)
  const depth = Math.max(checked.k, checked.ef)
  const near = findNearest(view, copy, { ...checked, k: depth })
  const fit = findWords(askedParts(view, checked.filter), checked.words, depth, idsRepeatIn(view))
  const fused = fuseRanks([near.map(({ id }) => id), fit.map(({ id }) => id)], checked.k)
  // Of the same row, where both found the id: fields are those of its nearest vector.
  const rows = new Map<Id, { readonly part: Part; readonly row: number }>()
  for (const each of [...fit, ...near]) rows.set(each.id, each)
  const distances = distancesOf(
    view,
    copy,
    near,
    fused.map(({ key }) => key),
  )
  return fused.map(({ key, score }) => ({
    id: shownIn(view, key),
    distance: distances.get(key) ?? Infinity,
    score,
    ...selected(view, rows.get(key), checked.select),
  }))
}

/** The k ids that fit the words best. @throws InvalidOptionError, CorruptIndexError */
export function searchWords(view: OpenView, { k, filter, select, ...words }: CheckedTextSearch): TextHit<GivenId>[] {
  const found = findWords(askedParts(view, filter), words, k, idsRepeatIn(view))
  return found.map((each) => ({ id: shownIn(view, each.id), score: each.score, ...selected(view, each, select) }))
}

/** By id: as the search found them, and computed for ids that only the words found. */
function distancesOf(
  view: OpenView,
  query: Float32Array,
  near: readonly { readonly id: Id; readonly distance: number }[],
  ids: readonly Id[],
): ReadonlyMap<Id, number> {
  // In float32 the product of two unit vectors can be a little above 1; no cosine distance is below 0.
  const least = view.facts.metric === 'cosine' ? 0 : -Infinity
  const known = new Map(near.map(({ id, distance }) => [id, Math.max(least, distance)]))
  const others = ids.filter((id) => !known.has(id))
  for (const { id, distance } of scoreIds(others, rowsIn(view), [query], view.facts.metric)) known.set(id, distance)
  return known
}

function selected(
  view: OpenView,
  found: { readonly part: Part; readonly row: number } | undefined,
  select: ReadonlySet<number> | undefined,
): { readonly fields?: HitFields } {
  const fields = fieldsOf(view)
  if (select === undefined || fields === undefined || found === undefined) return {}
  return { fields: fieldsOfRow(fields, found.part, found.row, select) }
}
