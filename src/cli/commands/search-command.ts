import type { Command } from 'commander'
import { InvalidOptionError } from '../../errors.js'
import { DEFAULT_EF, tuningFor } from '../../search/default-ef.js'
import type { VectorIndex } from '../../search/vector-index.js'
import type { MeasureProgress, Tuning } from '../../api/measure.js'
import type { SearchHit } from '../../api/search.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { byteSizeFlag, integerFlag, shareFlag, textFlag } from '../flags/flag-values.js'
import { checkComparable, readGroundTruth, recallOf } from '../files/ground-truth.js'
import { interruptible } from '../interruptible.js'
import { measureSearch, type MeasuredSearch } from './measure-search.js'
import { countText, rateText } from '../../report/number-text.js'
import { openPreloaded } from '../files/open-preloaded.js'
import { measureProgressText } from '../screen/progress-text.js'
import { readQueries } from '../files/read-queries.js'
import type { CommonFlags, Session } from '../session.js'
import { StatusLine } from '../screen/status-line.js'
import { tableLines } from '../screen/table-lines.js'
import type { Terminal } from '../screen/terminal.js'
import { missedText, tuneIndex, tuningText } from './tune-index.js'

const EXAMPLES = `
Queries: the formats that build reads. With --json: {"results":[[{"id","distance"}]],"recall"?,"queriesPerSecond","p50Ms","p99Ms","tuning"?}.
Without --ef: what was chosen for this k, or a larger one, and is stored with the index; else 64. --target-recall takes the
stored choice for that recall, or measures with 500 vectors of the index, chooses and stores. Exit code 1 when no ef reaches it.

Examples:
  $ shardloom search sift.index --queries sift_query.bvecs
  $ shardloom search sift.index --queries sift_query.bvecs -k 10 --ef 128 --ground-truth sift_gt.ivecs
  $ shardloom search sift.index --queries sift_query.bvecs --target-recall 0.95
  $ shardloom search words.index --queries query.npy --ground-truth gt.ivecs --ids words-ids.txt
  $ echo '{"vector":[1,0,0]}' | shardloom search my.index --queries - --json`

/** What the human output shows; --json has everything. */
const SHOWN_QUERIES = 3
const SHOWN_HITS = 5

interface SearchFlags extends CommonFlags {
  readonly queries: string
  readonly k: number
  readonly ef?: number
  readonly rerank?: number
  readonly targetRecall?: number
  readonly memory?: number
  readonly groundTruth?: string
  readonly ids?: string
}

interface SearchReport extends MeasuredSearch {
  readonly recall?: number
  /** Where ef came from, when a choice was used that is, or would be, stored with the index. */
  readonly tuning?: Tuning & { readonly reached: boolean }
}

export function addSearchCommand(program: Command, session: Session): void {
  const command = program
    .command('search')
    .summary('search an index with a file of queries, and measure')
    .description('Searches the live generation of DIR with every vector of a file, and measures speed and recall.')
    .argument('<DIR>', 'the index directory')
    .requiredOption('--queries <FILE>', 'vectors to search with; - for standard input', textFlag('--queries'))
    .option('-k <N>', 'neighbours of each query', integerFlag('-k', 1, 2 ** 32 - 1), 10)
    .option(
      '--ef <N>',
      'beam width: higher finds more and takes longer (default: as tuned, or 64)',
      integerFlag('--ef', 1, 2 ** 32 - 1),
    )
    .option(
      '--rerank <N>',
      'best by their codes to score again on their vectors (default: by the quantization)',
      integerFlag('--rerank', 1, 2 ** 32 - 1),
    )
    .option(
      '--target-recall <R>',
      'choose the smallest ef that reaches it, and store it with the index',
      shareFlag('--target-recall'),
    )
    .option('--memory <SIZE>', 'for the open index (default: what is there)', byteSizeFlag('--memory'))
    .option('--ground-truth <FILE>', 'ivecs with the exact neighbours by row number', textFlag('--ground-truth'))
    .option('--ids <FILE>', 'with --ground-truth: the ids the index was built with, one a line', textFlag('--ids'))
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: SearchFlags) => {
      const { terminal } = session
      const report = await search(path, flags, terminal)
      if (report.tuning?.reached === false) {
        session.exitCode = 1
        terminal.log(`error: ${missedText(report.tuning)}`)
      }
      if (flags.json === true) terminal.printJson(report)
      else for (const line of reportLines(report, flags)) terminal.print(line)
    })
}

async function search(path: string, flags: SearchFlags, terminal: Terminal): Promise<SearchReport> {
  const { k } = flags
  if (flags.ids !== undefined && flags.groundTruth === undefined) {
    throw new InvalidOptionError('--ids says which row has which id, and only --ground-truth needs that; give both')
  }
  if (flags.ef !== undefined && flags.targetRecall !== undefined) {
    throw new InvalidOptionError('--ef says how wide to search, and --target-recall chooses it; give one')
  }
  const index = await openPreloaded(path, flags.memory)
  try {
    const queries = await readQueries(flags.queries, index.dimensions)
    // An index of fewer vectors than k answers with all it has.
    const depth = Math.min(k, index.count)
    const files = flags.groundTruth === undefined ? undefined : { path: flags.groundTruth, idsPath: flags.ids }
    const truth = files === undefined ? undefined : await readGroundTruth(files, queries.length, depth)
    const tuning = await chooseTuning(index, flags, terminal)
    const measured = measureSearch(index, queries, {
      k,
      ef: flags.ef ?? tuning?.ef ?? DEFAULT_EF,
      rerank: flags.rerank,
    })
    const { results, ...speed } = measured
    if (files !== undefined) checkComparable(results, files)
    return {
      results,
      ...(truth !== undefined && { recall: recallOf(results, truth, depth) }),
      ...speed,
      ...(tuning !== undefined && { tuning }),
    }
  } finally {
    await index.close()
  }
}

/** The choice of ef that counts, if one does. */
async function chooseTuning(
  index: VectorIndex,
  { k, ef, targetRecall }: SearchFlags,
  terminal: Terminal,
): Promise<SearchReport['tuning']> {
  if (ef !== undefined) return undefined
  const stored = tuningFor(index.tuning, k)
  const usable = targetRecall === undefined || (stored?.k === k && stored.targetRecall === targetRecall)
  if (usable) return stored && { ...stored, reached: true }
  const status = new StatusLine(terminal, false)
  const onProgress = (progress: MeasureProgress): void => status.show(() => measureProgressText(progress))
  const result = await interruptible(terminal, (signal) =>
    tuneIndex(index, { k, recall: targetRecall, signal, onProgress }, terminal),
  )
  const { ef: chosen, recall, queries, source, tunedAt, reached } = result
  return { k, targetRecall, ef: chosen, recall, queries, source, tunedAt, reached }
}

function reportLines(report: SearchReport, { k, ef }: SearchFlags): string[] {
  const { results, recall, queriesPerSecond, p50Ms, p99Ms, tuning } = report
  const hidden = results.length - SHOWN_QUERIES
  const rows = [
    ['queries', `${countText(results.length)}, k ${k}, ef ${ef ?? tuning?.ef ?? DEFAULT_EF}`],
    ...(tuning === undefined ? [] : [['tuned', tuningText(tuning)]]),
    ...(recall === undefined ? [] : [[`recall@${k}`, recall.toFixed(4)]]),
    ['speed', `${rateText(queriesPerSecond).replace('/s', ' queries/s')}, one thread`],
    ['latency', `p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`],
  ]
  return [
    ...results.slice(0, SHOWN_QUERIES).flatMap((hits, query) => [`query ${query}`, ...hitLines(hits)]),
    ...(hidden > 0 ? [`… and ${hidden} more; --json prints all`] : []),
    '',
    ...tableLines(rows),
  ]
}

function hitLines(hits: readonly SearchHit[]): string[] {
  const shown = hits.slice(0, SHOWN_HITS).map(({ id, distance }) => ['', String(id), distanceText(distance)])
  const rest = hits.length - shown.length
  return [...tableLines(shown, [2]), ...(rest > 0 ? [`  … ${rest} more`] : [])]
}

function distanceText(distance: number): string {
  return Math.abs(distance) >= 1000 ? distance.toFixed(0) : distance.toFixed(4)
}
