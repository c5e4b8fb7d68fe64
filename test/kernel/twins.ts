/** Plain twins of the kernel's functions: one simple loop each. Rows are row-major. */

const f32 = Math.fround

export function packTwin(words: Uint32Array, count: number, wordsPerRow: number): Uint32Array {
  const panels = Math.ceil(count / 16)
  const out = new Uint32Array(panels * 16 * wordsPerRow)
  for (let row = 0; row < count; row++) {
    for (let word = 0; word < wordsPerRow; word++) {
      out[((row >> 4) * wordsPerRow + word) * 16 + (row & 15)] = words[row * wordsPerRow + word]
    }
  }
  return out
}

/** Exact: every product and sum is a safe integer. */
export function l2IntegerTwin(a: Int16Array, b: Int16Array): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += (a[d] - b[d]) ** 2
  return sum
}

/** In f64: the reference for error bounds. */
export function l2Twin(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += (a[d] - b[d]) ** 2
  return sum
}

/** In f64, with the sum of the terms' magnitudes, which bounds the error. */
export function dotTwin(a: Float32Array, b: Float32Array): { dot: number; magnitude: number } {
  let dot = 0
  let magnitude = 0
  for (let d = 0; d < a.length; d++) {
    dot += a[d] * b[d]
    magnitude += Math.abs(a[d] * b[d])
  }
  return { dot, magnitude }
}

/** f32, one product after the other: equal to norms.ts and the tile, to the bit. */
export function sequentialDotTwin(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum = f32(sum + f32(a[d] * b[d]))
  return sum
}

/** Equal to the f32 tile, to the bit. */
export function tileL2Twin(a: Float32Array, b: Float32Array): number {
  const norms = f32(sequentialDotTwin(a, a) + sequentialDotTwin(b, b))
  return Math.max(0, f32(norms - f32(2 * sequentialDotTwin(a, b))))
}

/** Equal to gatherL2F32 and pruneF32, to the bit: eight partial sums, by dimension modulo 8. */
export function gatherL2Twin(a: Float32Array, b: Float32Array): number {
  const sums = new Float32Array(8)
  for (let d = 0; d < a.length; d++) {
    const difference = f32(a[d] - b[d])
    sums[d & 7] = f32(sums[d & 7] + f32(difference * difference))
  }
  const lanes = [0, 1, 2, 3].map((lane) => f32(sums[lane] + sums[lane + 4]))
  return f32(f32(lanes[0] + lanes[2]) + f32(lanes[1] + lanes[3]))
}

/** The places that stay when those ruled out fill a row up to five eighths of `maxDegree`: nearest first. */
export function fillTwin(kept: readonly number[], count: number, maxDegree: number): number[] {
  const least = Math.min(count, Math.floor((5 * maxDegree) / 8))
  const others = Array.from({ length: count }, (_, place) => place).filter((place) => !kept.includes(place))
  return [...kept, ...others.slice(0, Math.max(0, least - kept.length))].sort((a, b) => a - b)
}

/** Equal to a search's distances, to the bit: four partial sums of whole groups of four, then the rest one by one. */
export function searchDistanceTwin(metric: 'l2' | 'cosine' | 'ip', query: Float32Array, row: Float32Array): number {
  const term = (d: number): number =>
    metric === 'l2' ? f32(f32(query[d] - row[d]) * f32(query[d] - row[d])) : f32(query[d] * row[d])
  const lanes = new Float32Array(4)
  const whole = query.length - (query.length % 4)
  for (let d = 0; d < whole; d++) lanes[d & 3] += term(d)
  let sum = f32(f32(lanes[0] + lanes[2]) + f32(lanes[1] + lanes[3]))
  for (let d = whole; d < query.length; d++) sum = f32(sum + term(d))
  if (metric === 'l2') return sum
  return metric === 'cosine' ? f32(1 - sum) : f32(0 - sum)
}

export function nearestTwin(row: ArrayLike<number>, k: number): { index: number; distance: number }[] {
  return Array.from(row, (distance, index) => ({ index, distance }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .slice(0, k)
}

export function pruneTwin<Row>(
  rows: readonly Row[],
  distances: ArrayLike<number>,
  maxDegree: number,
  alpha: number,
  distance: (a: Row, b: Row) => number,
): number[] {
  const kept: number[] = []
  for (let c = 0; c < rows.length && kept.length < maxDegree; c++) {
    if (!kept.some((q) => alpha * distance(rows[c], rows[q]) < distances[c])) kept.push(c)
  }
  return kept
}

/** f64 in four sums, by dimension modulo 4. */
export function squaredNormTwin(row: Float32Array): number {
  const sums = [0, 0, 0, 0]
  for (let d = 0; d < row.length; d++) sums[d & 3] += row[d] * row[d]
  return sums[0] + sums[2] + (sums[1] + sums[3])
}

export function normaliseTwin(row: Float32Array): Float32Array {
  const squared = squaredNormTwin(row)
  if (!(squared > 0 && squared < Infinity)) return row.slice()
  const factor = 1 / Math.sqrt(squared)
  return row.map((x) => f32(x * factor))
}

/** Nearest integer, halves to even. */
export function roundTwin(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1
  return below % 2 === 0 ? below : below + 1
}

/** The row, no longer than the radius, and the component that `ip` adds, minus the mean: f64. */
function centred(row: Float32Array, mean: Float32Array, radiusSquared: number): number[] {
  const squared = radiusSquared >= 0 ? squaredNormTwin(row) : 0
  const factor = squared > radiusSquared && radiusSquared >= 0 ? Math.sqrt(radiusSquared / squared) : 1
  const values = Array.from(row, (x) => x * factor)
  if (radiusSquared >= 0) values.push(Math.sqrt(Math.max(0, radiusSquared - squared)))
  return values.map((x, d) => x - mean[d])
}

export function encodeI16Twin(
  row: Float32Array,
  options: { mean: Float32Array; scale: number; maxSquaredNorm: number; radiusSquared: number; gridDims: number },
): { row: Int16Array; clamped: boolean } {
  const { mean, scale, maxSquaredNorm, radiusSquared, gridDims } = options
  const rounded = centred(row, mean, radiusSquared).map((x) => roundTwin(x * scale))
  const squared = rounded.reduce((sum, x) => sum + x * x, 0)
  const clamped = squared > maxSquaredNorm
  const shrink = Math.sqrt(maxSquaredNorm / squared)
  const encoded = new Int16Array(gridDims)
  encoded.set(clamped ? rounded.map((x) => Math.trunc(x * shrink)) : rounded)
  return { row: encoded, clamped }
}

export function encodeF32Twin(
  row: Float32Array,
  options: { mean: Float32Array; radiusSquared: number; gridDims: number },
): Float32Array {
  const encoded = new Float32Array(options.gridDims)
  encoded.set(centred(row, options.mean, options.radiusSquared))
  return encoded
}
