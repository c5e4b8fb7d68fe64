import type { Command } from 'commander'
import {
  EXPORT_FORMATS,
  exportIndex,
  type ExportFormat,
  type ExportProgress,
  type ExportReport,
} from '../../interop/export-index.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { choiceFlag, textFlag } from '../flags/flag-values.js'
import { interruptible } from '../interruptible.js'
import { countText, tookText } from '../../report/number-text.js'
import type { CommonFlags, Session } from '../session.js'
import { shellWord } from '../../report/shell-word.js'
import { tableLines } from '../screen/table-lines.js'
import { StatusLine } from '../screen/status-line.js'

const EXAMPLES = `
hnswlib: loads in hnswlib-node, in Python's and in C++'s hnswlib. usearch: loads, or opens as a view, in usearch 2.
fvecs: the vectors alone. Integer ids from 0 on are the file's labels; other ids go to FILE.ids.jsonl, line by line.

Examples:
  $ shardloom export articles.index --format hnswlib --out articles.bin
  $ shardloom export articles.index --format usearch --out articles.usearch --force
  $ shardloom export articles.index --format fvecs --out articles.fvecs`

interface ExportFlags extends CommonFlags {
  readonly format: ExportFormat
  readonly out: string
  readonly force?: boolean
  readonly quiet?: boolean
}

export function addExportCommand(program: Command, session: Session): void {
  const command = program
    .command('export')
    .summary('write an index as a file that other programs load')
    .description('Writes the live generation of DIR as a file of hnswlib or usearch, or as plain vectors.')
    .argument('<DIR>', 'the index directory')
    .requiredOption('--format <F>', EXPORT_FORMATS.join(', '), choiceFlag('--format', EXPORT_FORMATS))
    .requiredOption('--out <FILE>', 'the file to write', textFlag('--out'))
    .option('--force', 'replace a file that exists')
    .option('--quiet', 'say nothing but errors')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: ExportFlags) => {
      const { terminal } = session
      const { format, out } = flags
      const status = new StatusLine(terminal, flags.quiet === true)
      const report = await interruptible(terminal, (signal) =>
        exportIndex(path, {
          format,
          out,
          overwrite: flags.force === true,
          signal,
          onProgress: (progress) => status.show(() => exportProgressText(progress)),
        }),
      )
      if (report.idsFile !== undefined && flags.quiet !== true) terminal.log(idsNote(report))
      if (flags.json === true) terminal.printJson(report)
      else if (flags.quiet !== true) for (const line of exportSummary(report)) terminal.print(line)
    })
}

function exportProgressText({ bytesWritten, totalBytes }: ExportProgress): string {
  const percent = totalBytes === 0 ? 0 : Math.min(100, Math.floor((100 * bytesWritten) / totalBytes))
  return `export  ${formatByteSize(bytesWritten)}/${formatByteSize(totalBytes)}  ${percent}%`
}

/** The ids are not where somebody might look for them. */
function idsNote({ format, idsFile }: ExportReport): string {
  return format === 'fvecs'
    ? `rows are in the order of the index; line n of ${idsFile ?? ''}, from 0, is the id of row n`
    : `not all ids are integers from 0 on, so labels are nodes; line n of ${idsFile ?? ''}, from 0, is the id of label n`
}

function exportSummary(report: ExportReport): string[] {
  const { format, out, idsFile, count, dimensions, metric, m, generation, bytes, seconds } = report
  const rows = [
    ['vectors', `${countText(count)} x ${dimensions}, ${metric} (${generation})`],
    ['file', `${out} (${format}${format === 'fvecs' ? '' : `, m ${m}`}, ${formatByteSize(bytes)})`],
    ['ids', idsFile ?? "the file's labels"],
    ['time', tookText(seconds)],
  ]
  return [...tableLines(rows), '', `next: ${nextStep(report)}`]
}

function nextStep({ format, out, space = '', dimensions }: ExportReport): string {
  const file = JSON.stringify(out)
  switch (format) {
    case 'hnswlib':
      return `index = hnswlib.Index(space='${space}', dim=${dimensions}); index.load_index(${file})   # Python`
    case 'usearch':
      return `index = usearch.index.Index.restore(${file}, view=True)   # Python`
    case 'fvecs':
      return `shardloom build ${shellWord(out)} --ids ${shellWord(`${out}.ids.jsonl`)} --out DIR`
  }
}
