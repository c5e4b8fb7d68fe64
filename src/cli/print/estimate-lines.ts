import { formatByteSize } from '../../memory/byte-size.js'
import type { QuantizationSuggestion } from '../../plan/suggest-quantization.js'
import { countText } from '../../report/number-text.js'
import { tableLines } from './table-lines.js'
import type { EstimateOptions, MemoryEstimate } from '../../pipeline/estimate-memory.js'

export function estimateLines(
  estimate: MemoryEstimate,
  asked: Pick<EstimateOptions, 'count' | 'dimensions'>,
): string[] {
  const { fits, budgetBytes, peakBytes, minimumBytes, threads, shards, indexBytes, temporaryBytes, stages } = estimate
  const rows = [
    ['vectors', `${countText(asked.count)} x ${asked.dimensions} dimensions`],
    ['budget', `${formatByteSize(budgetBytes)} (${fits ? 'fits' : 'does not fit'})`],
    ['peak', `${formatByteSize(peakBytes)}${fits ? '' : ' with the least budget'}`],
    ['least budget', formatByteSize(minimumBytes)],
    ['threads', String(threads)],
    ['shards', countText(shards)],
    ['index on disk', formatByteSize(indexBytes)],
    ['temporary', `${formatByteSize(temporaryBytes)} when everything spills`],
  ]
  const stageRows = stages.map(({ name, bytes }) => [`  ${name}`, formatByteSize(bytes)])
  return [
    ...tableLines(rows),
    '',
    fits ? 'memory by stage' : 'memory by stage, with the least budget',
    ...tableLines(stageRows, [1]),
  ]
}

/** The memory that searches need, by quantization. */
export function quantizationLines({ quantizations, message }: QuantizationSuggestion): string[] {
  const rows = quantizations.map(({ quantization, memoryBytes, fits, recallLoss }) => [
    `  ${quantization}`,
    formatByteSize(memoryBytes),
    fits ? 'fits' : '',
    recallLoss === 0 ? '' : `recall@10 up to ${recallLoss} lower`,
  ])
  return ['', 'memory of searches, by quantization', ...tableLines(rows, [1]), `suggested: ${message}`]
}
