import { AbortedError, ShardloomError } from '../errors.js'
import type { Terminal } from './screen/terminal.js'
import { endProcess, interruptedExitCode, whileListening, type SignalName } from './signals.js'

/**
 * Runs `body` with a signal that aborts on SIGHUP, SIGINT or SIGTERM. The second one ends the process at once; the next
 * build resumes from the files that this leaves in the index's build folder, or deletes them.
 */
export async function interruptible<Result>(
  terminal: Terminal,
  body: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const onSignal = (name: SignalName): void => {
    if (controller.signal.aborted) {
      terminal.log(`${name} again: ended at once; the live generation is unchanged`)
      // Shows the cursor of a screen again.
      terminal.keepFrame()
      endProcess(interruptedExitCode())
      return
    }
    terminal.log(`${name}: stopping and cleaning up; once more ends at once`)
    controller.abort(new Error(name))
  }
  return whileListening(onSignal, async () => {
    try {
      return await body(controller.signal)
    } catch (error) {
      // An error that the abort caused is an interruption, whatever its class.
      if (controller.signal.aborted && !(error instanceof ShardloomError)) throw new AbortedError(error)
      throw error
    }
  })
}
