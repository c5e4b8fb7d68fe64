import type { Command } from 'commander'
import { InvalidOptionError } from '../../errors.js'
import type { VectorIndex } from '../../search/vector-index.js'
import type { MeasureOptions, RecallCurve, TuneResult } from '../../api/measure.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { byteSizeFlag, integerFlag, integersFlag, shareFlag, textFlag } from '../flags/flag-values.js'
import { interruptible } from '../interruptible.js'
import { countText } from '../../report/number-text.js'
import { openPreloaded } from '../files/open-preloaded.js'
import { measureProgressText } from '../screen/progress-text.js'
import { readQueries } from '../files/read-queries.js'
import type { CommonFlags, Session } from '../session.js'
import { StatusLine } from '../screen/status-line.js'
import { tableLines } from '../screen/table-lines.js'
import { missedText, tuneIndex, tuningText } from './tune-index.js'

const EXAMPLES = `
Without --queries it asks for vectors of the index itself, which are easier to find than new ones: prefer queries of yours.
With --target-recall the choice is stored in DIR, and searches for this k that give no ef use it. Exit code 1 when no ef
reaches it.

Examples:
  $ shardloom recall articles.index
  $ shardloom recall articles.index --queries queries.npy -k 100 --ef 100,200,400
  $ shardloom recall articles.index --queries queries.npy --target-recall 0.95`

const MAX_INTEGER = 2 ** 32 - 1

interface RecallFlags extends CommonFlags {
  readonly k: number
  readonly ef?: readonly number[]
  readonly rerank?: number
  readonly sample?: number
  readonly queries?: string
  readonly targetRecall?: number
  readonly seed?: number
  readonly memory?: number
  readonly quiet?: boolean
}

export function addRecallCommand(program: Command, session: Session): void {
  const command = program
    .command('recall')
    .summary('measure recall over ef against exact search, and choose ef')
    .description('Measures recall and speed of the live generation of DIR over a range of ef, against exact search.')
    .argument('<DIR>', 'the index directory')
    .option('-k <N>', 'neighbours of each query', integerFlag('-k', 1, MAX_INTEGER), 10)
    .option(
      '--ef <LIST>',
      'beam widths, as 16,32,64 (default: six, from 16 or k on)',
      integersFlag('--ef', 1, MAX_INTEGER),
    )
    .option(
      '--rerank <N>',
      'best by their codes to score again on their vectors (default: by the quantization)',
      integerFlag('--rerank', 1, MAX_INTEGER),
    )
    .option('--sample <N>', 'vectors of the index to ask for (default: 500)', integerFlag('--sample', 1, MAX_INTEGER))
    .option('--queries <FILE>', 'queries of your own, instead of sampled vectors', textFlag('--queries'))
    .option(
      '--target-recall <R>',
      'choose the smallest ef that reaches it, and store it with the index',
      shareFlag('--target-recall'),
    )
    .option('--seed <N>', 'decides what is sampled (default: 1)', integerFlag('--seed', 0, MAX_INTEGER))
    .option('--memory <SIZE>', 'for the open index (default: what is there)', byteSizeFlag('--memory'))
    .option('--quiet', 'say nothing but errors and the result')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: RecallFlags) => {
      const { terminal } = session
      const measured = await measure(path, flags, session)
      if ('reached' in measured && !measured.reached) {
        session.exitCode = 1
        terminal.log(`error: ${missedText(measured)}`)
      }
      if (flags.json === true) terminal.printJson(measured)
      else for (const line of curveLines(path, measured, flags.quiet === true)) terminal.print(line)
    })
}

async function measure(path: string, flags: RecallFlags, { terminal }: Session): Promise<RecallCurve | TuneResult> {
  const { k, ef, rerank, sample, seed, targetRecall: recall } = flags
  if (ef !== undefined && recall !== undefined) {
    throw new InvalidOptionError('--ef says what to measure, and --target-recall chooses it; give one')
  }
  if (rerank !== undefined && recall !== undefined) {
    throw new InvalidOptionError('--target-recall chooses ef for searches that say no --rerank; give one')
  }
  const index = await openPreloaded(path, flags.memory)
  try {
    const status = new StatusLine(terminal, flags.quiet === true)
    // Reading waits for whoever writes a pipe; nothing of ours is to be cleaned up when that is interrupted.
    const options: MeasureOptions = {
      k,
      sample,
      seed,
      queries: await queriesOf(index, flags),
      onProgress: (progress) => status.show(() => measureProgressText(progress)),
    }
    return await interruptible<RecallCurve | TuneResult>(terminal, (signal) =>
      recall === undefined
        ? index.recallCurve({ ...options, ef, rerank, signal })
        : tuneIndex(index, { ...options, recall, signal }, terminal),
    )
  } finally {
    await index.close()
  }
}

async function queriesOf(index: VectorIndex, { queries }: RecallFlags): Promise<Float32Array[] | undefined> {
  return queries === undefined ? undefined : readQueries(queries, index.dimensions)
}

function curveLines(path: string, measured: RecallCurve | TuneResult, quiet: boolean): string[] {
  const { generation, k, queries, source, points } = measured
  const rows = points.map(({ ef, recall, queriesPerSecond, p50Ms }) => [
    String(ef),
    recall.toFixed(4),
    countText(queriesPerSecond),
    `${p50Ms.toFixed(3)} ms`,
  ])
  const sampled = source === 'sampled'
  const whose = sampled ? 'vectors of the index, each left out of its own neighbours' : 'given queries'
  return [
    ...tableLines([
      ['index', `${path} (${generation})`],
      ['queries', `${countText(queries)} ${whose}; one thread`],
    ]),
    '',
    ...tableLines([['ef', `recall@${k}`, 'queries/s', 'p50'], ...rows], [0, 1, 2, 3]),
    '',
    ...('reached' in measured && measured.reached
      ? [`chosen: ${tuningText(measured)}${measured.stored ? ', stored with the index' : ', not stored'}`]
      : []),
    ...(sampled && !quiet
      ? ['Vectors of the index are easier to find than new queries: measure with your own by --queries FILE.']
      : []),
  ]
}
