/**
 * Plain versions of the quantizing encoders, from docs/format.md: one number after the other, each sum rounded to f32.
 */
import { quantizedShape, type CodeQuantization } from '../../src/format/graph/quantized-shape.js'
import type { Metric } from '../../src/api/vectors.js'

const { fround } = Math

/** The number that a half's bits stand for. */
export function halfValue(bits: number): number {
  const magnitude = bits & 0x7fff
  const exponent = magnitude >> 10
  const fraction = magnitude & 0x3ff
  const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -value : value
}

export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  if (x - floor !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

export function halfBits(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const size = Math.abs(x)
  if (size >= 65520) return sign | 0x7bff
  if (size < 2 ** -14) return sign | roundHalfEven(size * 2 ** 24)
  let exponent = Math.floor(Math.log2(size))
  if (size < 2 ** exponent) exponent--
  if (size >= 2 ** (exponent + 1)) exponent++
  return sign | (((exponent + 15) << 10) + roundHalfEven((size / 2 ** exponent - 1) * 1024))
}

export const NORM_FACTORS: Readonly<Record<Metric, number>> = { l2: 1, cosine: 0.5, ip: 0 }

/** The codes of row-major rows. */
export function encodeTwin(
  quantization: CodeQuantization,
  rows: Float32Array,
  dimensions: number,
  codebook: Float32Array,
  metric: Metric,
): { codes: Uint8Array; clamped: number } {
  const { strideBytes, subspaces } = quantizedShape(quantization, dimensions)
  const count = rows.length / dimensions
  const codes = new Uint8Array(count * strideBytes)
  let clamped = 0
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * dimensions, (r + 1) * dimensions)
    const code = codes.subarray(r * strideBytes, (r + 1) * strideBytes)
    if (quantization === 'f16') clamped += f16Row(row, code)
    else if (quantization === 'sq8') clamped += sq8Row(row, codebook, NORM_FACTORS[metric], code)
    else if (quantization === 'pq') pqRow(row, codebook, subspaces, code)
    else binaryRow(row, codebook, code)
  }
  return { codes, clamped }
}

function f16Row(row: Float32Array, code: Uint8Array): number {
  const view = new DataView(code.buffer, code.byteOffset, code.length)
  row.forEach((x, d) => view.setUint16(2 * d, halfBits(x), true))
  return row.filter((x) => Math.abs(x) >= 65520).length
}

function sq8Row(row: Float32Array, codebook: Float32Array, normFactor: number, code: Uint8Array): number {
  const view = new DataView(code.buffer, code.byteOffset, code.length)
  let clamped = 0
  let norm = 0
  row.forEach((x, d) => {
    const step = codebook[row.length + d]
    const away = fround(x - codebook[d])
    const scaled = step > 0 ? roundHalfEven(fround(away / step)) : Math.sign(away) * 128
    if (Math.abs(scaled) > 127) clamped++
    const rounded = Math.max(-127, Math.min(127, scaled))
    view.setInt8(d, rounded)
    const part = fround(step * rounded)
    norm = fround(norm + fround(part * part))
  })
  view.setFloat32(code.length - 4, fround(norm * normFactor), true)
  return clamped
}

export const subspaceStart = (s: number, subspaces: number, dimensions: number): number =>
  Math.floor((s * dimensions) / subspaces)

/**
 * The nearest centroid of the dimensions `from` to `to - 1`, the first of equally near ones, and its squared distance.
 */
export function nearestCentroid(
  row: Float32Array,
  codebook: Float32Array,
  from: number,
  to: number,
): { centroid: number; distance: number } {
  let nearest = { centroid: 0, distance: Infinity }
  for (let centroid = 0; centroid < 256; centroid++) {
    let distance = 0
    for (let d = from; d < to; d++) {
      const away = fround(row[d] - codebook[256 * d + centroid])
      distance = fround(distance + fround(away * away))
    }
    if (distance < nearest.distance) nearest = { centroid, distance }
  }
  return nearest
}

function pqRow(row: Float32Array, codebook: Float32Array, subspaces: number, code: Uint8Array): void {
  for (let s = 0; s < subspaces; s++) {
    const [from, to] = [subspaceStart(s, subspaces, row.length), subspaceStart(s + 1, subspaces, row.length)]
    code[s] = nearestCentroid(row, codebook, from, to).centroid
  }
}

function binaryRow(row: Float32Array, codebook: Float32Array, code: Uint8Array): void {
  const dimensions = row.length
  const turned = row.map((x, d) => x - codebook[d])
  const size = 2 ** Math.floor(Math.log2(dimensions))
  for (let round = 0; round < 4; round++) {
    for (let d = 0; d < dimensions; d++) turned[d] *= codebook[(1 + round) * dimensions + d]
    hadamard(turned.subarray(round % 2 === 0 ? 0 : dimensions - size).subarray(0, size))
  }
  code.fill(0)
  turned.forEach((x, d) => {
    if (x < 0 || Object.is(x, -0)) code[d >> 3] |= 1 << (d & 7)
  })
}

function hadamard(values: Float32Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let i = 0; i < values.length; i++) {
      if (i % (2 * half) >= half) continue
      const [x, y] = [values[i], values[i + half]]
      values[i] = x + y
      values[i + half] = x - y
    }
  }
}
