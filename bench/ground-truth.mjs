// Exact neighbours by plain arithmetic in float64: no contender's code judges the contenders.
import { multiplyRows } from './matrix.mjs'
import { readBlocks } from './vector-files.mjs'

/** Rows of the base file that are compared with all queries before the next ones: they stay in cache. */
const ROWS = 64

/** What differs from the distance only by what is the same for all rows of a query, and grows with it. */
const RANKS = {
  l2: (product, squaredNorm) => squaredNorm - 2 * product,
  cosine: (product, squaredNorm) => -product / Math.sqrt(squaredNorm),
  ip: (product) => -product,
}

/**
 * For each query the numbers of its `k` nearest rows of the file, nearest first; of equally near ones the first.
 * @param queries { dims, count, vectors } @returns Int32Array[]
 */
export function exactNeighbours(path, queries, metric, k) {
  const rank = RANKS[metric]
  if (rank === undefined) throw new Error(`unknown metric ${metric}; use l2, cosine or ip`)
  const { dims, count, vectors } = queries
  const best = Array.from({ length: count }, () => ({
    rows: new Int32Array(k).fill(-1),
    distances: new Float64Array(k).fill(Infinity),
  }))
  // multiplyRows takes fours: the rows past the last query are zero, and nobody looks at their products.
  const padded = Math.ceil(count / 4) * 4
  const left = new Float64Array(padded * dims)
  left.set(vectors)
  const right = new Float64Array(ROWS * dims)
  const products = new Float64Array(padded * ROWS)
  for (const block of readBlocks(path)) {
    const blockRows = block.vectors.length / dims
    for (let from = 0; from < blockRows; from += ROWS) {
      const size = Math.min(ROWS, blockRows - from)
      right.set(block.vectors.subarray(from * dims, (from + size) * dims))
      const norms = squaredNorms(right, size, dims)
      multiplyRows(left, padded, right, ROWS, dims, products)
      for (let query = 0; query < count; query++) {
        const at = query * ROWS
        for (let row = 0; row < size; row++) {
          insert(best[query], rank(products[at + row], norms[row]), block.first + from + row)
        }
      }
    }
  }
  return best.map((list) => list.rows)
}

function squaredNorms(rows, count, dims) {
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0
    for (let d = 0; d < dims; d++) sum += rows[row * dims + d] ** 2
    return sum
  })
}

function insert({ rows, distances }, distance, row) {
  let at = rows.length - 1
  if (!(distance < distances[at])) return
  for (; at > 0 && distances[at - 1] > distance; at--) {
    distances[at] = distances[at - 1]
    rows[at] = rows[at - 1]
  }
  distances[at] = distance
  rows[at] = row
}
