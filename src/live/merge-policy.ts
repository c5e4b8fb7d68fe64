/** Which sealed parts become one. Pure: a function of their sizes. */

/** Parts of one tier are at most this many times as large as another. */
const TIER = 4
/** So many of one tier are merged. */
const PARTS_OF_TIER = 4

/**
 * Positions of parts to merge, ascending; undefined when none should be. `sizes`: rows of each part. Parts of one tier
 * are merged when there are four, so that each row is merged once in each tier; above `maxParts` the smallest are.
 */
export function partsToMerge(sizes: readonly number[], maxParts: number): readonly number[] | undefined {
  const ascending = sizes.map((_, at) => at).sort((a, b) => sizes[a] - sizes[b] || a - b)
  for (let from = 0; from < ascending.length; from++) {
    const least = Math.max(1, sizes[ascending[from]])
    const tier = ascending.slice(from).filter((at) => sizes[at] < TIER * least)
    if (tier.length >= PARTS_OF_TIER) return tier.sort((a, b) => a - b)
  }
  if (sizes.length <= maxParts) return undefined
  return ascending.slice(0, PARTS_OF_TIER).sort((a, b) => a - b)
}
