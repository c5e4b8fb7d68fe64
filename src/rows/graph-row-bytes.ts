/** Bytes of one row of a shard graph on its way to merge: node, count, then `degree` neighbours and distance words. */
export function graphRowBytes(degree: number): number {
  return 8 + 8 * degree
}
