/**
 * Percentile by nearest rank: the smallest value that is not exceeded by at least this share of the ascending values.
 */
export function percentile(ascending: Float64Array, share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)]
}
