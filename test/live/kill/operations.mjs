/** Operations on a live index that follow from a seed: a child does them, and its parent knows what they were. */

export const DIMENSIONS = 6
/** Rows of one part in memory are more than those of one operation: each is whole or not at all. */
export const MOST_ROWS = 20
const IDS = 160

/** Uniform in [0, 1), a function of the seed (mulberry32). */
export function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Groups of operations that are called at once; those of one group have different ids. Without an end. */
export function* groups(seed) {
  const random = randomNumbers(seed)
  for (;;) {
    const taken = new Set()
    yield Array.from({ length: 1 + Math.floor(3 * random()) }, () => operation(random, taken))
  }
}

function operation(random, taken) {
  const choice = random()
  if (choice < 0.04) return { kind: 'compact', ids: [] }
  if (choice < 0.12) return { kind: 'flush', ids: [] }
  const ids = new Set()
  const rows = 1 + Math.floor(random() * MOST_ROWS)
  for (let i = 0; i < rows; i++) {
    const number = Math.floor(random() * IDS)
    const id = number % 3 === 0 ? `id ${number}` : number
    if (!taken.has(id)) ids.add(id)
  }
  for (const id of ids) taken.add(id)
  if (choice < 0.35) return { kind: 'delete', ids: [...ids] }
  const vectors = Float32Array.from({ length: ids.size * DIMENSIONS }, () => random() - 0.5)
  return { kind: 'upsert', ids: [...ids], vectors }
}

/** Of a row: they follow from its vector. */
export const FIELDS = [
  { name: 'positive', type: 'boolean' },
  { name: 'words', type: 'text' },
]
export const fieldsOf = (vector) => ({ positive: vector[0] > 0, words: `the number ${vector[1]}` })

/** The same as columns. */
function columnsOf(vectors) {
  const rows = Array.from({ length: vectors.length / DIMENSIONS }, (_, at) =>
    fieldsOf(vectors.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS)),
  )
  return { positive: rows.map(({ positive }) => positive), words: rows.map(({ words }) => words) }
}

export function perform(index, { kind, ids, vectors }) {
  if (kind === 'upsert') return index.upsert({ ids, vectors, dimensions: DIMENSIONS, fields: columnsOf(vectors) })
  if (kind === 'delete') return index.delete(ids)
  return kind === 'flush' ? index.flush() : index.compact({ threads: 1 })
}

/** What the operation does to a Map of ids and vectors. */
export function applyTo(model, { kind, ids, vectors }) {
  for (const [at, id] of ids.entries()) {
    if (kind === 'delete') model.delete(id)
    else if (kind === 'upsert') model.set(id, vectors.slice(at * DIMENSIONS, (at + 1) * DIMENSIONS))
  }
}
