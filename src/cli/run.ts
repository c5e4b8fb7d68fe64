import { packageVersion } from '../host/package-version.js'
import { Terminal } from './screen/terminal.js'
import { wasInterrupted } from './signals.js'

/** Runs one command line (without node and script) and returns its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const terminal = new Terminal(process.stdout, process.stderr)
  const exitCode = asksVersion(args) ? printVersion(terminal) : await execute(args, terminal)
  const unwritten = await terminal.close()
  // What cannot be written to a terminal that is gone hides no interruption.
  if (unwritten === undefined || (exitCode !== 0 && wasInterrupted())) return exitCode
  const { unwrittenFailure } = await import('./failure.js')
  const failure = unwrittenFailure(unwritten)
  terminal.fail(failure)
  return failure.exitCode
}

/** Answered before anything else is loaded; with other arguments commander finds the flag. */
function asksVersion([first, ...others]: readonly string[]): boolean {
  return others.length === 0 && (first === '--version' || first === '-V')
}

function printVersion(terminal: Terminal): number {
  terminal.print(packageVersion())
  return 0
}

async function execute(args: readonly string[], terminal: Terminal): Promise<number> {
  const commands = await import('./execute.js')
  return commands.execute(args, terminal)
}
