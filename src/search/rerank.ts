/**
 * How many of the best by their codes are scored again on their vectors, when nobody says. What f16 and sq8 get wrong is
 * near the k-th neighbour; the order of pq and binary is so coarse that all of the beam is worth scoring.
 */
import type { Storage } from '../types.js'

/** Neighbours wanted, times this at least. */
const FACTORS: Readonly<Record<Storage, number>> = { f32: 0, f16: 2, sq8: 2, pq: 5, binary: 10 }

export function defaultRerank(storage: Storage, k: number, ef: number): number {
  const least = FACTORS[storage] * k
  return storage === 'pq' || storage === 'binary' ? Math.max(least, ef) : least
}
