// Exact distances in float64 on the float32 rows: what every contender's answers are judged by.

const DISTANCES = {
  l2: (a, aAt, b, bAt, dims) => {
    let sum = 0
    for (let d = 0; d < dims; d++) sum += (a[aAt + d] - b[bAt + d]) ** 2
    return sum
  },
  ip: (a, aAt, b, bAt, dims) => -dot(a, aAt, b, bAt, dims),
}

function dot(a, aAt, b, bAt, dims) {
  let sum = 0
  for (let d = 0; d < dims; d++) sum += a[aAt + d] * b[bAt + d]
  return sum
}

function lengths(rows, dims) {
  return Float64Array.from({ length: rows.length / dims }, (_, row) =>
    Math.sqrt(dot(rows, row * dims, rows, row * dims, dims)),
  )
}

/** distance(query, row) */
function distances({ base, queries, dims, metric }) {
  if (metric !== 'cosine') {
    const measure = DISTANCES[metric]
    return (query, row) => measure(queries, query * dims, base, row * dims, dims)
  }
  const [a, b] = [lengths(queries, dims), lengths(base, dims)]
  return (query, row) => 1 - dot(queries, query * dims, base, row * dims, dims) / (a[query] * b[row])
}

/** As exactAnswers for k = 1, where the queries are rows of the base: under l2 and cosine nothing is nearer than 0. */
export function ownAnswers(asked) {
  if (asked.metric === 'ip') return exactAnswers({ ...asked, k: 1 })
  return { distance: distances(asked), farthest: new Float64Array(asked.queries.length / asked.dims), k: 1 }
}

/** { distance(query, row), farthest: the k-th smallest distance of each query } */
export function exactAnswers({ base, queries, dims, metric, k }) {
  const count = base.length / dims
  const found = Math.min(k, count)
  const distance = distances({ base, queries, dims, metric })
  const farthest = Float64Array.from({ length: queries.length / dims }, (_, query) => {
    const nearest = new Float64Array(found).fill(Infinity)
    for (let row = 0; row < count; row++) insert(nearest, distance(query, row))
    return nearest[found - 1]
  })
  return { distance, farthest, k: found }
}

function insert(ascending, value) {
  let at = ascending.length - 1
  if (value >= ascending[at]) return
  for (; at > 0 && ascending[at - 1] > value; at--) ascending[at] = ascending[at - 1]
  ascending[at] = value
}

/** The share of the k nearest that `found(query)` (row numbers) has; any row as near as the k-th counts. */
export function recallOf({ distance, farthest, k }, found) {
  let hits = 0
  for (let query = 0; query < farthest.length; query++) {
    // Cosine in float64 still has an error of its own.
    const limit = farthest[query] + 1e-12 * Math.abs(farthest[query]) + 1e-15
    const rows = new Set(found(query))
    let right = 0
    for (const row of rows) if (distance(query, row) <= limit) right++
    hits += Math.min(k, right)
  }
  return hits / (farthest.length * k)
}

/** Up to `wanted` rows, each once, far apart in the file: a stride that divides the count would meet few clusters. */
export function someRows(rows, dims, wanted) {
  const count = rows.length / dims
  const out = new Float32Array(Math.min(count, wanted) * dims)
  let stride = Math.max(1, Math.floor(count * 0.618))
  while (commonDivisor(stride, count) !== 1) stride++
  for (let i = 0; i < out.length / dims; i++) {
    const row = (i * stride) % count
    out.set(rows.subarray(row * dims, (row + 1) * dims), i * dims)
  }
  return out
}

function commonDivisor(a, b) {
  return b === 0 ? a : commonDivisor(b, a % b)
}
