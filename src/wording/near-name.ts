/** The name that was likely meant: it differs from `wrong` by a few letters. Undefined: none is near enough. */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  let best: { name: string; edits: number } | undefined
  for (const name of names) {
    const edits = editsBetween(wrong.toLowerCase(), name.toLowerCase())
    // When more than a third of the letters differ, it is another word.
    if (edits > Math.max(1, Math.floor(Math.max(wrong.length, name.length) / 3))) continue
    if (best === undefined || edits < best.edits) best = { name, edits }
  }
  return best?.name
}

/** Number of letters to insert, delete, replace or swap with their neighbour (Damerau-Levenshtein distance). */
function editsBetween(a: string, b: string): number {
  // Three rows of the table: before the last, the last, this one.
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        last[j] + 1,
        row[j - 1] + 1,
        last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? before[j - 2] + 1 : Infinity,
      )
    }
    before = last
    last = row
  }
  return last[b.length]
}
