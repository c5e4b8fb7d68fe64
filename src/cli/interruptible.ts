import { AbortedError, EXIT_CODES, ShardloomError } from '../errors.js'
import type { Terminal } from './screen/terminal.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs `body` with a signal that aborts on SIGINT or SIGTERM. The second one ends the process at once; the next build
 * resumes from the files that this leaves in the index's build folder, or deletes them.
 */
export async function interruptible<Result>(
  terminal: Terminal,
  body: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      terminal.log(`${name} again: ended at once; the live generation is unchanged`)
      // Shows the cursor of a screen again.
      terminal.keepFrame()
      process.exit(EXIT_CODES.interrupted)
    }
    terminal.log(`${name}: stopping and cleaning up; once more ends at once`)
    controller.abort(new Error(name))
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    return await body(controller.signal)
  } catch (error) {
    // An error that the abort caused is an interruption, whatever its class.
    if (controller.signal.aborted && !(error instanceof ShardloomError)) throw new AbortedError(error)
    throw error
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}
