import { CommanderError } from 'commander'
import { describeFailure, unwrittenFailure, wantsFlag, wantsJsonLogs } from './failure.js'
import { createProgram } from './program.js'
import { Terminal } from './screen/terminal.js'
import { wasInterrupted } from './signals.js'

/** Runs one command line (without node and script) and returns its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const terminal = new Terminal(process.stdout, process.stderr)
  const exitCode = await execute(args, terminal)
  const unwritten = await terminal.close()
  // What cannot be written to a terminal that is gone hides no interruption.
  if (unwritten === undefined || (exitCode !== 0 && wasInterrupted())) return exitCode
  const failure = unwrittenFailure(unwritten)
  terminal.fail(failure)
  return failure.exitCode
}

async function execute(args: readonly string[], terminal: Terminal): Promise<number> {
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
