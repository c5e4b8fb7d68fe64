/**
 * How many of the best quantized vectors are scored again on their vectors by default. The errors of f16 and sq8 are
 * near the k-th neighbour; the order of pq and binary is so coarse that all of the beam is worth scoring.
 */
import type { Quantization } from '../../api/report.js'

/** At least k times this. */
const FACTORS: Readonly<Record<Quantization, number>> = { f32: 0, f16: 2, sq8: 2, pq: 5, binary: 10 }

export function defaultRerank(quantization: Quantization, k: number, ef: number): number {
  const least = FACTORS[quantization] * k
  return quantization === 'pq' || quantization === 'binary' ? Math.max(least, ef) : least
}
