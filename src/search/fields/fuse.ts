/** Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): one ranking out of several, whose scores do not compare. */

/** How much the first ranks differ: the constant of the paper. */
export const RANK_CONSTANT = 60

export interface Fused<Key> {
  readonly key: Key
  /** The sum of 1 / (60 + rank) over the rankings that have it; ranks begin at 1. */
  readonly score: number
}

/**
 * The best `k` keys of rankings, each best first and without repeated keys. Of equal scores that comes first which is
 * first in the first ranking that has one of them before the other.
 */
export function fuseRanks<Key>(rankings: readonly (readonly Key[])[], k: number): Fused<Key>[] {
  const ranks = new Map<Key, number[]>()
  for (const [ranking, keys] of rankings.entries()) {
    for (const [at, key] of keys.entries()) {
      let found = ranks.get(key)
      if (found === undefined) ranks.set(key, (found = rankings.map(() => Infinity)))
      found[ranking] = Math.min(found[ranking], at + 1)
    }
  }
  const fused = Array.from(ranks, ([key, of]) => ({
    key,
    score: of.reduce((score, rank) => score + 1 / (RANK_CONSTANT + rank), 0),
    of,
  }))
  fused.sort((a, b) => b.score - a.score || firstDifference(a.of, b.of))
  return fused.slice(0, k).map(({ key, score }) => ({ key, score }))
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((rank, i) => rank !== b[i])
  return at < 0 ? 0 : a[at] < b[at] ? -1 : 1
}
