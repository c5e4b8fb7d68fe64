import type { BuildReport } from '../../api/report.js'
import { importIndex } from '../../interop/import-index.js'
import type { IMPORT_COMMAND_OPTIONS } from '../../options/command-options.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { interruptible } from '../interruptible.js'
import { buildSummary } from '../print/build-summary.js'
import { openBuildView } from '../screen/build-view.js'
import type { Session } from '../session.js'

type ImportFlags = OptionsOf<typeof IMPORT_COMMAND_OPTIONS>

export const importCommand: CommandBody<ImportFlags, BuildReport> = { run, print }

async function run(flags: ImportFlags, { terminal }: Session): Promise<BuildReport> {
  const { file, quiet, verbose, json: _json, ...options } = flags
  const view = quiet ? undefined : await openBuildView(terminal, { verbose, json: false })
  const hooks = view === undefined ? {} : { logger: view.logger, onProgress: view.onProgress }
  let report: BuildReport | undefined
  try {
    report = await interruptible(terminal, (signal) => importIndex(file, { ...options, ...hooks, signal }))
    return report
  } finally {
    view?.end(report)
  }
}

function print(report: BuildReport, { path, quiet }: ImportFlags): string[] {
  return quiet ? [] : buildSummary(report, path)
}
