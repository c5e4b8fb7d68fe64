/** Vectors and fields that follow from a seed, and random numbers. */

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

const BATCH = 500

/** Batches of `{ count, dimensions, seed, fields }`, from an ordinal on. */
export function* recordsFrom({ count, dimensions, seed, fields }, startAt) {
  for (let from = startAt; from < count;) {
    const to = Math.min(count, from + BATCH)
    const ordinals = Array.from({ length: to - from }, (_, i) => from + i)
    const vectors = new Float32Array(ordinals.length * dimensions)
    ordinals.forEach((ordinal, row) => vectors.set(vectorOf(ordinal, dimensions, seed), row * dimensions))
    yield { vectors, dimensions, ids: ordinals.map((n) => `id ${n}`), ...(fields && { fields: fieldsOf(ordinals) }) }
    from = to
  }
}

function vectorOf(ordinal, dimensions, seed) {
  const random = randomNumbers(seed * 1_000_003 + ordinal)
  return Float32Array.from({ length: dimensions }, () => random() + random() + random() - 1.5)
}

export const FIELDS = { group: 'keyword', price: 'number', title: 'text' }

function fieldsOf(ordinals) {
  return {
    group: ordinals.map((n) => `group ${(n * 31) % 700}`),
    price: ordinals.map((n) => (n % 3 === 0 ? null : n / 8)),
    title: ordinals.map((n) => `word ${n % 300} of ${(n * 7) % 900}`),
  }
}
