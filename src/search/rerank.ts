/** How many of the best by their codes are scored again on their vectors, when nobody says. */
import type { Storage } from '../types.js'

/** Per neighbour wanted. */
const FACTORS: Readonly<Record<Storage, number>> = { f32: 0, f16: 2, sq8: 2, pq: 5, binary: 10 }

export function defaultRerank(storage: Storage, k: number): number {
  return FACTORS[storage] * k
}
