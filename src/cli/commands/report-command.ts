import type { Command } from 'commander'
import { InvalidOptionError } from '../../errors.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { byteSizeFlag, integerFlag, textFlag } from '../flags/flag-values.js'
import { checkReportFile } from '../files/report-file.js'
import { PREVIOUS, writeReportPage, type PageRequest, type WrittenPage } from '../files/write-report-page.js'
import type { CommonFlags, Session } from '../session.js'
import { tableLines } from '../screen/table-lines.js'

const EXAMPLES = `
The page needs nothing else: no network, no script. Recall and speed are measured with vectors of the index when it is small,
or with --recall.

Examples:
  $ shardloom report articles.index --out report.html
  $ shardloom report articles.index --compare-generation ${PREVIOUS} --out report.html
  $ shardloom report articles.index --compare other.index --recall --queries queries.npy --out report.html`

const GENERATION = /^gen-\d{6,15}$/
const MAX_INTEGER = 2 ** 32 - 1

type ReportFlags = CommonFlags & Omit<PageRequest, 'path'>

export function addReportCommand(program: Command, session: Session): void {
  const command = program
    .command('report')
    .summary('write a page about an index and how it was built')
    .description('Writes a self-contained HTML page about the live generation of DIR: its build, its graph, its files.')
    .argument('<DIR>', 'the index directory')
    .requiredOption('--out <FILE>', 'the page; one that is there is replaced', textFlag('--out'))
    .option('--compare <DIR>', 'another index to compare with', textFlag('--compare'))
    .option('--compare-generation <G>', `an old generation to compare with: gen-000003, or ${PREVIOUS}`, generationFlag)
    .option('--recall', 'measure recall and speed (default: when the index is small)')
    .option('--no-recall', 'do not measure')
    .option('--queries <FILE>', 'queries of your own to measure with', textFlag('--queries'))
    .option('--sample <N>', 'vectors of the index to ask for (default: 200)', integerFlag('--sample', 1, MAX_INTEGER))
    .option('--memory <SIZE>', 'for the open index (default: what is there)', byteSizeFlag('--memory'))
    .option('--quiet', 'say nothing but errors')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: ReportFlags) => {
      const { terminal } = session
      checkFlags(flags)
      await checkReportFile(flags.out)
      const written = await writeReportPage({ ...flags, path }, terminal)
      if (flags.json === true) terminal.printJson(written)
      else if (flags.quiet !== true) for (const line of summary(path, written)) terminal.print(line)
    })
}

function generationFlag(text: string): string {
  if (text === PREVIOUS || GENERATION.test(text)) return text
  throw new InvalidOptionError(
    `--compare-generation must be a generation like gen-000003, or ${PREVIOUS}, got ${JSON.stringify(text)}`,
  )
}

function checkFlags({ compare, compareGeneration, recall, queries, sample }: ReportFlags): void {
  if (compare !== undefined && compareGeneration !== undefined) {
    throw new InvalidOptionError('--compare names another index, --compare-generation an old one of this; give one')
  }
  if (queries !== undefined && sample !== undefined) {
    throw new InvalidOptionError(
      '--sample says how many vectors of the index to ask for, --queries are your own; give one',
    )
  }
  if (recall === false && (queries !== undefined || sample !== undefined)) {
    throw new InvalidOptionError('--queries and --sample say what to measure with, and --no-recall not to; give one')
  }
}

function summary(path: string, { out, bytes, generation, comparedWith, recall }: WrittenPage): string[] {
  return tableLines([
    ['page', `${out} (${formatByteSize(bytes)})`],
    ['index', `${path} (${generation})`],
    ['compared', comparedWith ?? 'with nothing'],
    ['recall', recall === undefined ? 'not measured; --recall does' : `measured with ${recall.queries} queries`],
  ])
}
