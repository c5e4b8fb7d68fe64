/** The exact maxSim of ids: for each vector of the query the distance to the id's nearest vector, summed. */
import type { Id, Metric } from '../../api/vectors.js'
import type { Part } from '../live/part.js'

export interface ScoredId {
  readonly id: Id
  readonly distance: number
}

/** Where the vectors of an id are. */
export interface IdRows {
  readonly part: Part
  readonly rows: readonly number[]
}

/** Rows of one part, ascending, and of which id each is. */
interface PartRows {
  readonly rows: Uint32Array
  readonly owners: Uint32Array
}

/** In the order of `ids`. `rowsOf`: none for an id that is not there any more, whose distance is then infinite. */
export function scoreIds(
  ids: readonly Id[],
  rowsOf: (id: Id) => readonly IdRows[],
  queries: readonly Float32Array[],
  metric: Metric,
): ScoredId[] {
  const sums = new Float64Array(ids.length)
  const nearest = new Float64Array(ids.length)
  const parts = byPart(ids, rowsOf)
  // In float32 the product of two unit vectors can be a little above 1; no cosine distance is below 0.
  const least = metric === 'cosine' ? 0 : -Infinity
  for (const query of queries) {
    nearest.fill(Infinity)
    for (const [part, { rows, owners }] of parts) {
      part.compare(query, rows, (at, distance) => {
        const owner = owners[at]
        if (distance < nearest[owner]) nearest[owner] = distance
      })
    }
    for (let i = 0; i < ids.length; i++) sums[i] += Math.max(least, nearest[i])
  }
  return ids.map((id, at) => ({ id, distance: sums[at] }))
}

function byPart(ids: readonly Id[], rowsOf: (id: Id) => readonly IdRows[]): Map<Part, PartRows> {
  const pairs = new Map<Part, { row: number; owner: number }[]>()
  for (const [owner, id] of ids.entries()) {
    for (const { part, rows } of rowsOf(id)) {
      let list = pairs.get(part)
      if (list === undefined) pairs.set(part, (list = []))
      for (const row of rows) list.push({ row, owner })
    }
  }
  const parts = new Map<Part, PartRows>()
  for (const [part, list] of pairs) {
    list.sort((a, b) => a.row - b.row)
    const rows = Uint32Array.from(list, ({ row }) => row)
    parts.set(part, { rows, owners: Uint32Array.from(list, ({ owner }) => owner) })
  }
  return parts
}
