import { CorruptIndexError } from '../../errors.js'
import { verifyIndex, type VerifyReport } from '../../format/verify/verify-index.js'
import type { VERIFY_COMMAND_OPTIONS } from '../../options/command-options.js'
import { plural } from '../../report/number-text.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { verifyProgressText } from '../print/progress-text.js'
import { problemLines, soundLine, tornLines } from '../print/verify-lines.js'
import { StatusLine } from '../screen/status-line.js'
import type { Session } from '../session.js'

type VerifyFlags = OptionsOf<typeof VERIFY_COMMAND_OPTIONS>

export const verifyCommand: CommandBody<VerifyFlags, VerifyReport> = { run, print, json }

async function run({ path, quiet }: VerifyFlags, session: Session): Promise<VerifyReport> {
  const status = new StatusLine(session.terminal, quiet)
  const report = await verifyIndex(path, (progress) => status.show(() => verifyProgressText(progress)))
  if (!report.ok) session.exitCode = corruption(path, report).exitCode
  return report
}

function print(report: VerifyReport, { path, quiet }: VerifyFlags): string[] {
  if (!report.ok) return problemLines(path, report)
  return quiet ? [] : [...tornLines(report), soundLine(path, report)]
}

function json(report: VerifyReport, { path }: VerifyFlags): object {
  if (report.ok) return report
  const { code, message } = corruption(path, report)
  return { ...report, error: { code, message } }
}

function corruption(path: string, { problemCount }: VerifyReport): CorruptIndexError {
  return new CorruptIndexError(path, plural(problemCount, 'problem'))
}
