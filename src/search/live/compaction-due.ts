import type { CompactWhen, LiveFacts } from '../../api/live.js'

/** Above these shares of the last build its graph is walked for too much that is dead, or much lies beside it. */
export const COMPACT_WHEN: Required<CompactWhen> = { dead: 0.2, changed: 0.2 }

export interface CompactionNeed {
  /** Dead rows, and rows that were added or replaced, as shares of the last build; Infinity when there is none. */
  readonly dead: number
  readonly changed: number
  readonly due: boolean
}

/** How much of the last build is outdated. Every row is due when there was no build. `when`: no share, never. */
export function compactionNeed(
  facts: Pick<LiveFacts, 'baseRows' | 'deadRows' | 'partRows' | 'memoryRows'>,
  when: CompactWhen = COMPACT_WHEN,
): CompactionNeed {
  const share = (rows: number): number => (rows === 0 ? 0 : rows / facts.baseRows)
  const dead = share(facts.deadRows)
  const changed = share(facts.partRows + facts.memoryRows)
  return { dead, changed, due: dead > (when.dead ?? Infinity) || changed > (when.changed ?? Infinity) }
}
