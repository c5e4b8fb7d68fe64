import { AbortedError, ShardloomError } from '../errors.js'
import type { Terminal } from './screen/terminal.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const INTERRUPTED_EXIT_CODE = 130

/**
 * Runs `body` with a signal that aborts on SIGINT or SIGTERM. The second one ends the process at once; what that
 * leaves in the index directory's build folder the next build goes on from, or clears away.
 */
export async function interruptible<Result>(
  terminal: Terminal,
  body: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      terminal.log(`${name} again: ended at once; the live generation is unchanged`)
      // The cursor of a screen comes back.
      terminal.keepFrame()
      process.exit(INTERRUPTED_EXIT_CODE)
    }
    terminal.log(`${name}: stopping and cleaning up; once more ends at once`)
    controller.abort(new Error(name))
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    return await body(controller.signal)
  } catch (error) {
    // What the abort made fail on its way out is an interruption, whatever it calls itself.
    if (controller.signal.aborted && !(error instanceof ShardloomError)) throw new AbortedError(error)
    throw error
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}
