import { InvalidOptionError } from '../../errors.js'
import { formatByteSize } from '../../memory/byte-size.js'
import type { REPORT_COMMAND_OPTIONS } from '../../options/command-options.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { checkReportFile } from '../files/report-file.js'
import { writeReportPage, type WrittenPage } from '../files/write-report-page.js'
import { tableLines } from '../print/table-lines.js'
import type { Session } from '../session.js'

type ReportFlags = OptionsOf<typeof REPORT_COMMAND_OPTIONS>

export const reportCommand: CommandBody<ReportFlags, WrittenPage> = { run, print }

async function run(flags: ReportFlags, { terminal }: Session): Promise<WrittenPage> {
  checkFlags(flags)
  await checkReportFile(flags.out)
  return writeReportPage(flags, terminal)
}

function checkFlags({ compare, compareGeneration, recall, queries, sample }: ReportFlags): void {
  if (compare !== undefined && compareGeneration !== undefined) {
    throw new InvalidOptionError(
      '--compare names another index, --compare-generation an older generation of this one; give one',
    )
  }
  if (queries !== undefined && sample !== undefined) {
    throw new InvalidOptionError('--sample takes queries from the index, --queries from a file; give one')
  }
  if (recall === false && (queries !== undefined || sample !== undefined)) {
    throw new InvalidOptionError('--queries and --sample measure recall, --no-recall does not; give one')
  }
}

function print({ out, bytes, generation, comparedWith, recall }: WrittenPage, { path, quiet }: ReportFlags): string[] {
  if (quiet) return []
  return tableLines([
    ['page', `${out} (${formatByteSize(bytes)})`],
    ['index', `${path} (${generation})`],
    ['compared', comparedWith ?? 'with nothing'],
    ['recall', recall === undefined ? 'not measured; --recall does' : `measured with ${recall.queries} queries`],
  ])
}
