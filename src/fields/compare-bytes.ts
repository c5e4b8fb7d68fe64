/**
 * The order of keys: by bytes, a key before the longer ones that it begins. Of UTF-8 it is the order of code points.
 * Negative: a is first; 0: they are equal. Ranges, not views: keys are many.
 */
export function compareBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): number {
  const length = Math.min(aTo - aFrom, bTo - bFrom)
  for (let i = 0; i < length; i++) {
    const difference = a[aFrom + i] - b[bFrom + i]
    if (difference !== 0) return difference
  }
  return aTo - aFrom - (bTo - bFrom)
}
