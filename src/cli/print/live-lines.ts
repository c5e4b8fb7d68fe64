/** What an index holds besides its last build, for people. */
import type { LiveFacts } from '../../api/live.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { countText, plural } from '../../report/number-text.js'
import { shellWord } from '../../report/shell-word.js'
import { compactionNeed, COMPACT_WHEN } from '../../search/live/compaction-due.js'

/** Rows of a table. */
export function liveRows(path: string, facts: LiveFacts): string[][] {
  const { parts, partRows, memoryRows, baseRows, deadRows, logBytes, sequence } = facts
  return [
    ['last build', baseRows === 0 ? 'none yet' : `${plural(baseRows, 'vector')}, ${countText(deadRows)} of them dead`],
    [
      'changes',
      `${plural(parts, 'part')} of ${plural(partRows, 'row')}, ${plural(memoryRows, 'row')} in the log alone`,
    ],
    ['log', `${formatByteSize(logBytes)}, last change ${sequence}`],
    ['compaction', compactionText(path, facts)],
  ]
}

/** One line for the end of a command. */
export function changesLine(path: string, facts: LiveFacts): string {
  const { deadRows, partRows, memoryRows } = facts
  return (
    `not compacted yet: ${plural(partRows + memoryRows, 'row')} beside the last build, ` +
    `${countText(deadRows)} dead in it; compaction ${compactionText(path, facts)}`
  )
}

export function liveJson(facts: LiveFacts): object {
  const { parts, partRows, memoryRows, baseRows, deadRows, logBytes, sequence } = facts
  return {
    ...{ baseRows, deadRows, parts, partRows, memoryRows, logBytes, sequence },
    compactionDue: compactionNeed(facts).due,
  }
}

function compactionText(path: string, facts: LiveFacts): string {
  const { dead, changed, due } = compactionNeed(facts)
  const command = `shardloom compact ${shellWord(path)}`
  if (!Number.isFinite(changed)) return `due, for the first build: ${command}`
  const shares = `${percent(dead)} dead, ${percent(changed)} changed`
  const rule = `due above ${percent(Math.max(COMPACT_WHEN.dead, COMPACT_WHEN.changed))} of either`
  return due ? `due (${shares}): ${command}` : `not due (${shares}; ${rule})`
}

/** Never 0% of what is there. */
function percent(share: number): string {
  return share > 0 && share < 0.001 ? 'under 0.1%' : `${Number((100 * share).toPrecision(share < 0.1 ? 2 : 3))}%`
}

/** What a measurement of the last build leaves out; undefined when that is all there is. */
export function baseAloneText(path: string, { partRows, memoryRows, deadRows }: LiveFacts): string | undefined {
  const newer = partRows + memoryRows
  if (newer + deadRows === 0) return undefined
  return (
    `the last build alone is measured: ${plural(newer, 'row')} that came since ${newer === 1 ? 'is' : 'are'} not in it, and ` +
    `${countText(deadRows)} of its rows are dead; shardloom compact ${shellWord(path)} builds with all changes`
  )
}
