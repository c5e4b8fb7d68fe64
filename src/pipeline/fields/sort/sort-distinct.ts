/** Insertion sort is the faster one for lists up to this length. */
const SHORT = 24

/** Sorts the numbers from `from` up to `to`, drops those that repeat, and returns where the distinct ones end. */
export function sortDistinct(numbers: Uint32Array | Float64Array, from: number, to: number): number {
  if (to - from > SHORT) numbers.subarray(from, to).sort()
  else {
    for (let i = from + 1; i < to; i++) {
      const moved = numbers[i]
      let at = i
      for (; at > from && numbers[at - 1] > moved; at--) numbers[at] = numbers[at - 1]
      numbers[at] = moved
    }
  }
  let end = from
  for (let i = from; i < to; i++) if (i === from || numbers[i] !== numbers[end - 1]) numbers[end++] = numbers[i]
  return end
}
