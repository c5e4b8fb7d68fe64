/** Near the golden section of `count`, and prime to it: multiples of it visit every index, far apart. */
export function coprimeStride(count: number): number {
  const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
  let stride = Math.max(1, Math.floor(count * 0.618))
  while (greatestCommonDivisor(stride, count) !== 1) stride++
  return stride
}
