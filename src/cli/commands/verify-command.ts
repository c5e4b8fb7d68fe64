import type { Command } from 'commander'
import { CorruptIndexError } from '../../errors.js'
import type { VerifyReport } from '../../format/verify/verify-index.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { addCommonFlags } from '../flags/common-flags.js'
import { countText, plural } from '../../report/number-text.js'
import { verifyProgressText } from '../screen/progress-text.js'
import type { CommonFlags, Session } from '../session.js'
import { StatusLine } from '../screen/status-line.js'

const EXAMPLES = `
Checks every byte against its checksum, every link and every id, in bounded memory. Exit code 4 when anything is wrong.

Examples:
  $ shardloom verify articles.index
  $ shardloom verify articles.index --json`

interface VerifyFlags extends CommonFlags {
  readonly quiet?: boolean
}

export function addVerifyCommand(program: Command, session: Session): void {
  const command = program
    .command('verify')
    .summary('check every byte and every link of an index')
    .description('Checks the live generation of DIR: every byte, every link, every id.')
    .argument('<DIR>', 'the index directory')
    .option('--quiet', 'say nothing but problems')
  addCommonFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: VerifyFlags) => {
      await verify(path, flags, session)
    })
}

async function verify(path: string, flags: VerifyFlags, session: Session): Promise<void> {
  const { terminal } = session
  const status = new StatusLine(terminal, flags.quiet === true)
  // Loaded when it runs, so that other commands start without it.
  const { verifyIndex } = await import('../../format/verify/verify-index.js')
  const report = await verifyIndex(path, (progress) => status.show(() => verifyProgressText(progress)))
  if (!report.ok) session.exitCode = corruption(path, report).exitCode
  if (flags.json === true) {
    terminal.printJson(report.ok ? report : { ...report, error: errorOf(corruption(path, report)) })
  } else if (report.ok) {
    if (flags.quiet !== true) terminal.print(soundLine(path, report))
  } else {
    for (const line of problemLines(path, report)) terminal.print(line)
  }
}

function corruption(path: string, { problemCount }: VerifyReport): CorruptIndexError {
  return new CorruptIndexError(path, plural(problemCount, 'problem'))
}

function errorOf({ code, message }: CorruptIndexError): { code: string; message: string } {
  return { code, message }
}

function soundLine(path: string, report: VerifyReport): string {
  const { generation, count, filesChecked, bytesChecked, linksChecked } = report
  return (
    `ok: ${path} (${generation}): ${plural(count, 'vector')}, ${plural(filesChecked, 'file')}, ` +
    `${formatByteSize(bytesChecked)} and ${plural(linksChecked, 'link')} checked`
  )
}

function problemLines(path: string, { problems, problemCount }: VerifyReport): string[] {
  const hidden = problemCount - problems.length
  return [
    ...problems.map(
      ({ path, offset, reason }) => `${path}${offset === undefined ? '' : ` at byte ${offset}`}: ${reason}`,
    ),
    ...(hidden > 0 ? [`… and ${countText(hidden)} more`] : []),
    `not ok: ${path}: ${plural(problemCount, 'problem')}; rebuild the index or restore it from a copy`,
  ]
}
