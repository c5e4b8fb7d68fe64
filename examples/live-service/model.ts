/** What the load generator asked for and was told: what an answer may say, and what it must say. */

/** A version of an id that a search could see from `since` to `until`, in ticks. Version 0 is: deleted, or never there. */
interface Seen {
  readonly version: number
  readonly since: number
  until: number
}

/**
 * Versions of ids over time. A change can be seen from the moment in which it is asked for, and is seen by every request
 * that is made after it was acknowledged. Each id has one change at a time.
 */
export class Model {
  readonly #ids = new Map<string, Seen[]>()
  readonly dimensions: number
  #tick = 0

  constructor(dimensions: number) {
    this.dimensions = dimensions
  }

  /** A moment, for `mayBe` and `mustBe`. */
  tick(): number {
    return ++this.#tick
  }

  /** A change is sent. `version`: 0 to delete. */
  begin(id: string, version: number): void {
    const seen = this.#ids.get(id) ?? [{ version: 0, since: 0, until: Infinity }]
    seen.push({ version, since: this.tick(), until: Infinity })
    this.#ids.set(id, seen)
  }

  /** The last change of the id was acknowledged. */
  acknowledge(id: string): void {
    const before = this.#ids.get(id)?.at(-2)
    if (before !== undefined) before.until = this.tick()
  }

  /** The version that every request from now on sees; undefined while the id is changed. */
  now(id: string): number | undefined {
    const seen = this.#ids.get(id)
    if (seen === undefined) return 0
    return seen.length > 1 && seen[seen.length - 2].until === Infinity ? undefined : seen[seen.length - 1].version
  }

  /** Versions that a request between two moments may see. */
  between(id: string, from: number, to: number): number[] {
    const seen = this.#ids.get(id) ?? [{ version: 0, since: 0, until: Infinity }]
    return seen.filter(({ since, until }) => since <= to && until >= from).map(({ version }) => version)
  }

  ids(): IterableIterator<string> {
    return this.#ids.keys()
  }

  /** Ids that are there now, with their vectors. */
  *alive(): Generator<{ readonly id: string; readonly vector: Float32Array }> {
    for (const id of this.#ids.keys()) {
      const version = this.now(id)
      if (version === undefined) throw new Error(`a change of ${id} was not answered`)
      if (version > 0) yield { id, vector: vectorOf(id, version, this.dimensions) }
    }
  }
}

/** The vector of a version of an id, of unit length. Nothing is stored: it is computed again. */
export function vectorOf(id: string, version: number, dimensions: number): Float32Array {
  let state = 2166136261
  for (const char of `${id}/${version}`) state = Math.imul(state ^ char.charCodeAt(0), 16777619)
  const vector = new Float32Array(dimensions)
  let sum = 0
  for (let d = 0; d < dimensions; d++) {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9
    state ^= state >>> 13
    vector[d] = (state >>> 0) / 2 ** 31 - 1
    sum += vector[d] ** 2
  }
  const scale = 1 / Math.sqrt(sum)
  return vector.map((value) => value * scale)
}

/** 1 − cos of two vectors of unit length. */
export function distanceOf(a: Float32Array, b: Float32Array): number {
  let dot = 0
  for (let d = 0; d < a.length; d++) dot += a[d] * b[d]
  return 1 - dot
}
