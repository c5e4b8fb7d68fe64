import { formatByteSize } from '../../memory/byte-size.js'
import type { BuildReport } from '../../api/report.js'
import { hostsText } from '../../report/host-facts.js'
import { countText, plural, rateText, tookText } from '../../report/number-text.js'
import { shellWord } from '../../report/shell-word.js'
import { intervalText, verdictOf } from '../../report/verdict.js'
import { tableLines } from './table-lines.js'

/** The result of a build for people, and the command to type next. */
export function buildSummary(report: BuildReport, out: string): string[] {
  const { count, skippedInvalid, skippedDuplicates, seconds, reachable, repaired, spilledBytes, events, selfRecall } =
    report
  const skipped = [
    ...(skippedInvalid > 0 ? [`${countText(skippedInvalid)} invalid`] : []),
    ...(skippedDuplicates > 0 ? [`${countText(skippedDuplicates)} with a repeated id`] : []),
  ]
  const rows = [
    ['vectors', `${countText(count)}${skipped.length > 0 ? ` (skipped: ${skipped.join(', ')})` : ''}`],
    ['dimensions', `${report.dimensions}, ${report.metric}`],
    ['time', `${tookText(seconds)}, ${rateText(count / seconds).replace('/s', ' vectors/s')}`],
    ...(report.hosts === undefined ? [] : [['hosts', hostsText(report.hosts)]]),
    ['quality', qualityText(report)],
    ...(report.quantization === 'f32' ? [] : [['quantization', report.quantization]]),
    ['recall@10', recallLine(report)],
    ...(selfRecall === undefined
      ? []
      : [['self-recall', `${selfRecall.toFixed(4)} (ef 64, sampled vectors that find themselves)`]]),
    ['reachable', `${countText(reachable)} of ${countText(count)} (${countText(repaired)} repaired)`],
    ['on disk', formatByteSize(report.diskBytes)],
    ['peak memory', `${formatByteSize(report.peakRssBytes)} of ${formatByteSize(report.memoryBytes)}`],
    ['spilled', spilledBytes > 0 ? formatByteSize(spilledBytes) : 'nothing'],
    ['index', `${out} (${report.generation})`],
  ]
  if (events.length > 0) rows.push(['notes', `${plural(events.length, 'warning')}, above`])
  return [...tableLines(rows), '', `next: shardloom search ${shellWord(out)} --queries FILE -k 10`]
}

/** The verdict is a word for it; the interval says how sure it is. */
function recallLine({ recallAt10: recall, recallInterval, selfRecall }: BuildReport): string {
  const likely = recallInterval === undefined ? '' : `, 95% interval ${intervalText(recallInterval)}`
  return `${recall.toFixed(4)}, ${verdictOf({ recall, selfRecall })} (ef 64, against exact search${likely})`
}

function qualityText({ quality, trialRecall }: BuildReport): string {
  if (trialRecall === undefined) return quality
  return `${quality} (its trial on sampled vectors found ${trialRecall.toFixed(3)})`
}
