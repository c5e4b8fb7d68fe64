/** Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): one ranking out of several, whose scores do not compare. */

/** How much the first ranks differ: the constant of the paper. */
export const RANK_CONSTANT = 60

export interface Fused<Key> {
  readonly key: Key
  /** The sum of 1 / (60 + rank) over the rankings that have it; ranks begin at 1. */
  readonly score: number
}

/**
 * The best `k` keys of rankings, each best first and without repeated keys. Of equal scores that key comes
 * first which the first of the rankings has first, or has alone.
 */
export function fuseRanks<Key>(rankings: readonly (readonly Key[])[], k: number): Fused<Key>[] {
  const scores = new Map<Key, number>()
  for (const keys of rankings) {
    for (const [at, key] of keys.entries()) scores.set(key, (scores.get(key) ?? 0) + 1 / (RANK_CONSTANT + at + 1))
  }
  // A stable sort: equal scores stay in the order in which the rankings, one after another, have their keys.
  return Array.from(scores, ([key, score]) => ({ key, score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k)
}
