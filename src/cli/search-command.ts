import type { Command } from 'commander'
import { InvalidOptionError } from '../errors.js'
import { openIndex } from '../search/open-index.js'
import type { SearchHit } from '../types.js'
import { addCommonFlags } from './common-flags.js'
import { integerFlag, textFlag } from './flag-values.js'
import { checkComparable, readGroundTruth, recallOf } from './ground-truth.js'
import { measureSearch, type MeasuredSearch } from './measure-search.js'
import { countText, rateText } from './number-text.js'
import { readQueries } from './read-queries.js'
import type { CommonFlags, Session } from './session.js'
import { tableLines } from './table.js'

const EXAMPLES = `
Queries: the formats that build reads. With --json: {"results":[[{"id","distance"}]],"recall"?,"queriesPerSecond","p50Ms","p99Ms"}.

Examples:
  $ shardloom search sift.index --queries sift_query.bvecs
  $ shardloom search sift.index --queries sift_query.bvecs -k 10 --ef 128 --ground-truth sift_gt.ivecs
  $ shardloom search words.index --queries query.npy --ground-truth gt.ivecs --ids words-ids.txt
  $ echo '{"vector":[1,0,0]}' | shardloom search my.index --queries - --json`

/** What the human output shows; --json has everything. */
const SHOWN_QUERIES = 3
const SHOWN_HITS = 5

interface SearchFlags extends CommonFlags {
  readonly queries: string
  readonly k: number
  readonly ef: number
  readonly groundTruth?: string
  readonly ids?: string
}

interface SearchReport extends MeasuredSearch {
  readonly recall?: number
}

export function addSearchCommand(program: Command, session: Session): void {
  const command = program
    .command('search')
    .summary('search an index with a file of queries, and measure')
    .description('Searches the live generation of DIR with every vector of a file, and measures speed and recall.')
    .argument('<DIR>', 'the index directory')
    .requiredOption('--queries <FILE>', 'vectors to search with; - for standard input', textFlag('--queries'))
    .option('-k <N>', 'neighbours of each query', integerFlag('-k', 1, 2 ** 32 - 1), 10)
    .option('--ef <N>', 'beam width: higher finds more and takes longer', integerFlag('--ef', 1, 2 ** 32 - 1), 64)
    .option('--ground-truth <FILE>', 'ivecs with the exact neighbours by row number', textFlag('--ground-truth'))
    .option('--ids <FILE>', 'with --ground-truth: the ids the index was built with, one a line', textFlag('--ids'))
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: SearchFlags) => {
      const report = await search(path, flags)
      const { terminal } = session
      if (flags.json === true) terminal.printJson(report)
      else for (const line of reportLines(report, flags)) terminal.print(line)
    })
}

async function search(path: string, flags: SearchFlags): Promise<SearchReport> {
  const { k, ef } = flags
  if (flags.ids !== undefined && flags.groundTruth === undefined) {
    throw new InvalidOptionError('--ids says which row has which id, and only --ground-truth needs that; give both')
  }
  const index = await openIndex(path)
  try {
    const queries = await readQueries(flags.queries, index.dimensions)
    // An index of fewer vectors than k answers with all it has.
    const depth = Math.min(k, index.count)
    const files = flags.groundTruth === undefined ? undefined : { path: flags.groundTruth, idsPath: flags.ids }
    const truth = files === undefined ? undefined : await readGroundTruth(files, queries.length, depth)
    const measured = measureSearch(index, queries, { k, ef })
    if (files === undefined || truth === undefined) return measured
    checkComparable(measured.results, files)
    const { results, ...speed } = measured
    return { results, recall: recallOf(results, truth, depth), ...speed }
  } finally {
    await index.close()
  }
}

function reportLines(report: SearchReport, { k, ef }: SearchFlags): string[] {
  const { results, recall, queriesPerSecond, p50Ms, p99Ms } = report
  const hidden = results.length - SHOWN_QUERIES
  const rows = [
    ['queries', `${countText(results.length)}, k ${k}, ef ${ef}`],
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
