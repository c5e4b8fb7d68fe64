/** Compares answers with the model. Each function returns what is wrong, one line each. */
import type { Client, Hit } from './client.ts'
import { distanceOf, vectorOf, type Model } from './model.ts'

/** Sums of products are rounded in another order here. */
const TOLERANCE = 1e-5
const QUERIES = 100
const AT_ONCE = 8

/** k hits, nearest first, each of an id once and at the distance of a version that could be seen. */
export function checkHits(
  query: Float32Array,
  hits: readonly Hit[],
  k: number,
  versionsOf: (id: string) => readonly number[],
  dimensions: number,
): string[] {
  const wrong: string[] = []
  if (hits.length !== k) wrong.push(`${hits.length} hits, not ${k}`)
  if (new Set(hits.map(({ id }) => id)).size < hits.length) wrong.push('an id is there twice')
  for (const [at, { id, distance }] of hits.entries()) {
    if (at > 0 && distance < hits[at - 1].distance) wrong.push(`hit ${at} is nearer than the one before`)
    const distances = versionsOf(id)
      .filter((version) => version > 0)
      .map((version) => distanceOf(query, vectorOf(id, version, dimensions)))
    if (!distances.some((known) => Math.abs(known - distance) < TOLERANCE)) {
      wrong.push(`${id} at ${distance} was found, but could be at ${distances.join(' or ') || 'no place'}`)
    }
  }
  return wrong
}

/** The vector of a version that could be seen; none only when it could be deleted. */
export function checkGet(
  id: string,
  got: readonly number[] | undefined,
  versions: readonly number[],
  dimensions: number,
): string[] {
  const fits = versions.some((version) => {
    if (version === 0 || got === undefined) return version === 0 && got === undefined
    return vectorOf(id, version, dimensions).every((value, d) => Math.abs(value - got[d]) < TOLERANCE)
  })
  return fits ? [] : [`${id} is ${got === undefined ? 'not there' : 'another vector'}: versions ${versions.join(', ')}`]
}

export interface Compared {
  readonly wrong: readonly string[]
  readonly checked: number
  readonly count: number
  readonly recall: number
}

/** When nothing is changed any more: every id, the count, and the recall of some searches. */
export async function compareAll(client: Client, model: Model, k: number): Promise<Compared> {
  const wrong: string[] = []
  const ids = model.ids()
  let checked = 0
  const lookUp = async (): Promise<void> => {
    // All of them take from the same iterator.
    for (const id of ids) {
      wrong.push(...checkGet(id, await client.get(id), [model.now(id) ?? NaN], model.dimensions))
      checked++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lookUp))
  const alive = [...model.alive()]
  const count = await client.count()
  if (count !== alive.length) wrong.push(`${count} vectors, not ${alive.length}`)
  let found = 0
  for (let i = 0; i < QUERIES; i++) {
    const query = vectorOf(`query-${i}`, 1, model.dimensions)
    const hits = new Set((await client.search(query, k)).map(({ id }) => id))
    const exact = alive
      .map(({ id, vector }) => ({ id, distance: distanceOf(query, vector) }))
      .sort((a, b) => a.distance - b.distance)
    found += exact.slice(0, k).filter(({ id }) => hits.has(id)).length
  }
  return { wrong, checked: checked + QUERIES, count, recall: found / (QUERIES * k) }
}
