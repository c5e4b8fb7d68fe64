const numbers = new Float64Array(1)
const words = new BigInt64Array(numbers.buffer)

/** The smallest number above a finite one. */
export function nextAbove(number: number): number {
  if (number === 0) return Number.MIN_VALUE
  numbers[0] = number
  words[0] += number > 0 ? 1n : -1n
  return numbers[0]
}

/** The largest number below a finite one. */
export function nextBelow(number: number): number {
  return -nextAbove(-number)
}
