import type { Command } from 'commander'
import { QUANTIZATIONS } from '../../format/graph/quantized-shape.js'
import { MAX_DIMENSIONS } from '../../options/limits.js'
import { DEFAULT_ENGINE, ENGINE_NAMES } from '../../engines/engine-names.js'
import { formatByteSize } from '../../memory/byte-size.js'
import type { QuantizationSuggestion } from '../../plan/suggest-quantization.js'
import type { EngineName, Quantization } from '../../api/report.js'
import type { Metric } from '../../api/vectors.js'
import { addCommonFlags, QUANTIZATION_HELP } from '../flags/common-flags.js'
import { byteSizeFlag, choiceFlag, integerFlag } from '../flags/flag-values.js'
import { countText } from '../../report/number-text.js'
import type { CommonFlags, Session } from '../session.js'
import { tableLines } from '../screen/table-lines.js'
import type { EstimateOptions, MemoryEstimate } from '../../pipeline/estimate-memory.js'

const EXAMPLES = `
Builds nothing. For searches it says what each quantization would hold in memory, and which one fits. Exit code 0 also when the build would not fit: the answer is in the output ("fits").

Examples:
  $ shardloom estimate --count 1000000 --dimensions 1536
  $ shardloom estimate --count 10000000 --dimensions 768 --metric cosine --memory 4GB --json`

interface EstimateFlags extends CommonFlags {
  readonly count: number
  readonly dimensions: number
  readonly metric?: Metric
  readonly m?: number
  readonly memory?: number
  readonly threads?: number
  readonly engine?: EngineName
  readonly quantization?: Quantization
}

export function addEstimateCommand(program: Command, session: Session): void {
  const command = program
    .command('estimate')
    .summary('say what memory and disk a build would take, and its searches')
    .description(
      'Says what memory and disk a build would take, stage by stage, the least it needs, and what its searches would take.',
    )
    .requiredOption('--count <N>', 'vectors', integerFlag('--count', 1, 2 ** 32 - 2))
    .requiredOption('--dimensions <N>', 'length of each', integerFlag('--dimensions', 1, MAX_DIMENSIONS))
    .option('--metric <M>', 'l2, cosine or ip (default: l2)', choiceFlag('--metric', ['l2', 'cosine', 'ip']))
    .option('--m <N>', 'links per node, 4 to 64 (default: 16)', integerFlag('--m', 4, 64))
    .option('--memory <SIZE>', 'memory budget (default: what is there)', byteSizeFlag('--memory'))
    .option('--threads <N>', 'worker threads at most (default: the cores)', integerFlag('--threads', 1, 1024))
    .option(
      '--engine <E>',
      `shard engine: ${ENGINE_NAMES.join(' or ')} (default: ${DEFAULT_ENGINE})`,
      choiceFlag('--engine', ENGINE_NAMES),
    )
    .option('--quantization <S>', QUANTIZATION_HELP, choiceFlag('--quantization', QUANTIZATIONS))
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: EstimateFlags) => {
      // Loaded when it runs, so that other commands start without it.
      const { estimateMemory } = await import('../../pipeline/estimate-memory.js')
      const { suggestQuantization } = await import('../../plan/suggest-quantization.js')
      const { terminal } = session
      const { count, dimensions, metric, m, memory, threads, engine, quantization } = flags
      const estimate = estimateMemory({ count, dimensions, metric, m, memory, threads, engine, quantization })
      const suggested = suggestQuantization({ count, dimensions, metric, m, memory: estimate.budgetBytes })
      if (flags.json === true) terminal.printJson({ ...estimate, suggestedQuantization: suggested })
      else for (const line of [...estimateLines(estimate, flags), ...quantizationLines(suggested)]) terminal.print(line)
    })
}

export function estimateLines(estimate: MemoryEstimate, asked: EstimateOptions): string[] {
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

/** What searches would hold in memory, by quantization. */
export function quantizationLines({ quantizations, message }: QuantizationSuggestion): string[] {
  const rows = quantizations.map(({ quantization, memoryBytes, fits, recallLoss }) => [
    `  ${quantization}`,
    formatByteSize(memoryBytes),
    fits ? 'fits' : '',
    recallLoss === 0 ? '' : `recall@10 up to ${recallLoss} lower`,
  ])
  return ['', 'memory of searches, by quantization', ...tableLines(rows, [1]), `suggested: ${message}`]
}
