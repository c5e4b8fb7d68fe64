import { CommanderError } from 'commander'
import { describeFailure, wantsFlag, wantsJsonLogs } from './failure.js'
import { createProgram } from './program.js'
import type { Terminal } from './screen/terminal.js'

/** Runs one command line and returns its exit code; an error is printed. */
export async function execute(args: readonly string[], terminal: Terminal): Promise<number> {
  const session = { terminal, exitCode: 0 }
  try {
    await createProgram(session).parseAsync(args, { from: 'user' })
    return session.exitCode
  } catch (error) {
    // commander throws after it has printed help or version.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure = describeFailure(error, args)
    // The error may have come before the flag was parsed.
    if (wantsJsonLogs(args)) await terminal.logJson()
    terminal.fail(failure)
    if (wantsFlag(args, '--json')) {
      terminal.printJson({ error: { code: failure.code, message: failure.message } })
    }
    return failure.exitCode
  }
}
