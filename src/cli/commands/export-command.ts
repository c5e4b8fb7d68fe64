import { exportIndex, type ExportReport } from '../../interop/export-index.js'
import type { EXPORT_COMMAND_OPTIONS } from '../../options/command-options.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { interruptible } from '../interruptible.js'
import { exportSummary, idsNote, leftOutText } from '../print/export-lines.js'
import { exportProgressText } from '../print/progress-text.js'
import { StatusLine } from '../screen/status-line.js'
import type { Session } from '../session.js'

type ExportFlags = OptionsOf<typeof EXPORT_COMMAND_OPTIONS>

export const exportCommand: CommandBody<ExportFlags, ExportReport> = { run, print }

async function run(flags: ExportFlags, { terminal }: Session): Promise<ExportReport> {
  const { path, format, out, overwrite, baseOnly, quiet } = flags
  const status = new StatusLine(terminal, quiet)
  const report = await interruptible(terminal, (signal) =>
    exportIndex(path, {
      format,
      out,
      overwrite,
      baseOnly,
      signal,
      onProgress: (progress) => status.show(() => exportProgressText(progress)),
    }),
  )
  if (report.changesLeftOut !== undefined && !quiet) terminal.warn(leftOutText(report.changesLeftOut))
  if (report.idsFile !== undefined && !quiet) terminal.log(idsNote(report))
  return report
}

function print(report: ExportReport, { quiet }: ExportFlags): string[] {
  return quiet ? [] : exportSummary(report)
}
