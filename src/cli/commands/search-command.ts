import type { MeasureProgress } from '../../api/measure.js'
import { InvalidOptionError } from '../../errors.js'
import type { SEARCH_COMMAND_OPTIONS } from '../../options/command-options.js'
import { kebabCase } from '../../options/option-facts.js'
import { DEFAULT_EF, raisedEfText, tuningFor } from '../../search/default-ef.js'
import type { VectorIndex } from '../../search/vector-index.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { checkComparable, readGroundTruth, recallOf } from '../files/ground-truth.js'
import { openPreloaded } from '../files/open-preloaded.js'
import { readQueries } from '../files/read-queries.js'
import { filterOfFlag } from '../flags/filter-flag.js'
import { interruptible } from '../interruptible.js'
import { measureProgressText } from '../print/progress-text.js'
import { searchLines, wordsLines, type SearchReport, type WordsReport } from '../print/search-lines.js'
import { StatusLine } from '../screen/status-line.js'
import type { Terminal } from '../screen/terminal.js'
import type { Session } from '../session.js'
import { measureSearch } from './measure-search.js'
import { sayMissed, tuneIndex, warnOfChanges } from './tune-index.js'

type SearchFlags = OptionsOf<typeof SEARCH_COMMAND_OPTIONS>

export const searchCommand: CommandBody<SearchFlags, SearchReport | WordsReport> = {
  run,
  print: (report, flags) => ('ef' in report ? searchLines(report, flags) : wordsLines(report)),
}

async function run(flags: SearchFlags, session: Session): Promise<SearchReport | WordsReport> {
  checkFlags(flags)
  const { text, queries } = flags
  if (queries === undefined) return { results: [await searchText({ ...flags, text: text ?? '' })] }
  const report = await search({ ...flags, queries }, session.terminal)
  if (report.tuning?.reached === false) sayMissed(report.tuning, session)
  return report
}

function checkFlags({ ids, groundTruth, ef, targetRecall, queries, text }: SearchFlags): void {
  if (queries === undefined && text === undefined) {
    throw new InvalidOptionError(
      "required option '--queries <FILE>' not specified, nor --text; see shardloom search --help",
    )
  }
  const ofQueries = Object.entries({ groundTruth, ef, targetRecall }).find(([, value]) => value !== undefined)
  if (queries === undefined && ofQueries !== undefined) {
    throw new InvalidOptionError(
      `--${kebabCase(ofQueries[0])} is for searches with queries; give --queries too, or leave it out`,
    )
  }
  if (ids !== undefined && groundTruth === undefined) {
    throw new InvalidOptionError('--ids gives the id of each row, which only --ground-truth needs; give both')
  }
  if (ef !== undefined && targetRecall !== undefined) {
    throw new InvalidOptionError('--ef says how wide to search, and --target-recall chooses it; give one')
  }
}

/** By words alone. */
async function searchText(flags: SearchFlags & { readonly text: string }): Promise<WordsReport['results'][number]> {
  const { path, memory, text, k, select, filter } = flags
  const options = { k, ...(select !== undefined && { select }), ...filterOfFlag(filter) }
  const { openToRead } = await import('../../search/view/open-to-read.js')
  const index = await openToRead(path, memory === undefined ? {} : { memory })
  try {
    return index.searchText(text, options)
  } finally {
    await index.close()
  }
}

async function search(flags: SearchFlags & { readonly queries: string }, terminal: Terminal): Promise<SearchReport> {
  const { k, rerank, groundTruth, ids, text, select } = flags
  const ofFields = {
    ...filterOfFlag(flags.filter),
    ...(text !== undefined && { text }),
    ...(select !== undefined && { select }),
  }
  const index = await openPreloaded(flags.path, flags.memory)
  try {
    const queries = await readQueries(flags.queries, index.dimensions)
    // An index with fewer than k vectors answers with all of them.
    const depth = Math.min(k, index.count)
    const files = groundTruth === undefined ? undefined : { path: groundTruth, idsPath: ids }
    const truth = files === undefined ? undefined : await readGroundTruth(files, queries.length, depth)
    const tuning = await chooseTuning(index, flags, terminal)
    const wanted = flags.ef ?? tuning?.ef ?? DEFAULT_EF
    const ef = Math.max(wanted, depth)
    if (flags.ef !== undefined && ef > wanted) terminal.warn(raisedEfText(wanted, k, ef))
    const { results, ...speed } = await measureSearch(index, queries, { k, ef, rerank, ...ofFields })
    if (files !== undefined) checkComparable(results, files)
    return {
      results,
      ...(truth !== undefined && { recall: recallOf(results, truth, depth) }),
      ef,
      ...speed,
      ...(tuning !== undefined && { tuning }),
    }
  } finally {
    await index.close()
  }
}

/** The choice of ef to search with: a stored one, or a new one for --target-recall. Undefined: --ef or the default. */
async function chooseTuning(
  index: VectorIndex,
  { path, k, ef, targetRecall }: SearchFlags,
  terminal: Terminal,
): Promise<SearchReport['tuning']> {
  if (ef !== undefined) return undefined
  const stored = tuningFor(index.tuning, k)
  const usable = targetRecall === undefined || (stored?.k === k && stored.targetRecall === targetRecall)
  if (usable) return stored && { ...stored, reached: true }
  warnOfChanges(index, path, terminal)
  const status = new StatusLine(terminal, false)
  const onProgress = (progress: MeasureProgress): void => status.show(() => measureProgressText(progress))
  const result = await interruptible(terminal, (signal) =>
    tuneIndex(index, { k, recall: targetRecall, signal, onProgress }, terminal),
  )
  const { ef: chosen, recall, queries, source, tunedAt, reached } = result
  return { k, targetRecall, ef: chosen, recall, queries, source, tunedAt, reached }
}
