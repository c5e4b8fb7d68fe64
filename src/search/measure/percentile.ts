/** The smallest value that at least this share of the (ascending) values does not exceed: nearest rank. */
export function percentile(ascending: Float64Array, share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)]
}
