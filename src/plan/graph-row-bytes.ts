/** Bytes of one row of a shard graph, as merge gets it: node, count, then `degree` neighbours and distance words. */
export function graphRowBytes(degree: number): number {
  return 8 + 8 * degree
}
