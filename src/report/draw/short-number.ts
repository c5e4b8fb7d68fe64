const UNITS: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** Three digits and a letter, for an axis: 20000 → '20k', 1500000 → '1.5M'. */
export function shortNumber(value: number): string {
  const [size, letter] = UNITS.find(([size]) => value >= size) ?? [1, '']
  return `${Number((value / size).toPrecision(3))}${letter}`
}
