/** Which sealed parts become one. Pure: a function of their sizes. */

/** Parts of one tier are at most this many times as large as another. */
const TIER = 4
/** So many of one tier are merged. */
const PARTS_OF_TIER = 4

/**
 * Positions of parts to merge, ascending; undefined when none should be. `sizes`: rows of each part. Parts of one tier
 * are merged when there are four, so that each row is merged once in each tier; above `maxParts` the smallest are. Where
 * the merged part would be merged again at once, it is merged with the others right away.
 */
export function partsToMerge(sizes: readonly number[], maxParts: number): readonly number[] | undefined {
  let chosen = dueParts(sizes, maxParts)
  for (let next = chosen; next !== undefined;) {
    chosen = next
    next = withNextTier(sizes, chosen, maxParts)
  }
  return chosen?.toSorted((a, b) => a - b)
}

/** The parts, and those that the part which they become would be merged with; undefined when there are none. */
function withNextTier(
  sizes: readonly number[],
  chosen: readonly number[],
  maxParts: number,
): readonly number[] | undefined {
  const others = Array.from(sizes.keys()).filter((at) => !chosen.includes(at))
  const merged = chosen.reduce((sum, at) => sum + sizes[at], 0)
  const due = dueParts([...others.map((at) => sizes[at]), merged], maxParts)
  if (due?.includes(others.length) !== true) return undefined
  return [...chosen, ...due.filter((at) => at < others.length).map((at) => others[at])]
}

function dueParts(sizes: readonly number[], maxParts: number): readonly number[] | undefined {
  const ascending = sizes.map((_, at) => at).sort((a, b) => sizes[a] - sizes[b] || a - b)
  for (let from = 0; from < ascending.length; from++) {
    const least = Math.max(1, sizes[ascending[from]])
    const tier = ascending.slice(from).filter((at) => sizes[at] < TIER * least)
    if (tier.length >= PARTS_OF_TIER) return tier
  }
  return sizes.length <= maxParts ? undefined : ascending.slice(0, PARTS_OF_TIER)
}
