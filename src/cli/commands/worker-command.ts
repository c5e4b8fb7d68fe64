import { stat } from 'node:fs/promises'
import { preferWideTile } from '../../../kernel/wide-tile.js'
import type { Logger } from '../../api/build.js'
import type { WorkerSummary } from '../../api/worker.js'
import { runWorker } from '../../cluster/worker/run-worker.js'
import type { WORKER_COMMAND_OPTIONS } from '../../options/cluster/worker-options.js'
import { messageOf } from '../../runtime/realms.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { clusterOfWorker } from '../flags/cluster-flags.js'
import { workerLines } from '../print/worker-lines.js'
import type { Terminal } from '../screen/terminal.js'
import type { Session } from '../session.js'
import { endProcess, interruptedExitCode, whileListening, type SignalName } from '../signals.js'

type WorkerFlags = OptionsOf<typeof WORKER_COMMAND_OPTIONS>

export const workerCommand: CommandBody<WorkerFlags, WorkerSummary> = {
  run,
  print: (summary, { quiet }) => (quiet ? [] : workerLines(summary)),
}

async function run(flags: WorkerFlags, { terminal }: Session): Promise<WorkerSummary> {
  const { cluster, sharedDir: folder, quiet, verbose: _verbose, logFormat: _logFormat, json: _json, ...options } = flags
  const { connection, sharedDir } = clusterOfWorker({ cluster, sharedDir: folder })
  const problem = quiet ? undefined : await whyNoFolder(sharedDir)
  if (problem !== undefined)
    terminal.warn(`the shared folder ${sharedDir}: ${problem}; builds are refused until it is there`)
  // Nothing but tasks runs in the process, so its engine's flag may be set.
  preferWideTile()
  const hooks = quiet ? {} : { logger: loggerOf(terminal) }
  return untilTold(terminal, flags.graceSeconds, (signal) =>
    runWorker({ ...options, connection, sharedDir, ...hooks, signal }),
  )
}

/** A mount may come later; a name that is wrong never does, and is seen here. */
async function whyNoFolder(folder: string): Promise<string | undefined> {
  try {
    return (await stat(folder)).isDirectory() ? undefined : 'it is not a folder'
  } catch (error) {
    return messageOf(error)
  }
}

function loggerOf(terminal: Terminal): Logger {
  return { info: (message) => terminal.log(message), warn: (message) => terminal.warn(message) }
}

/** A signal is how a worker ends, and no failure; the second one ends the process at once. */
async function untilTold<Result>(
  terminal: Terminal,
  graceSeconds: number,
  body: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const onSignal = (name: SignalName): void => {
    if (controller.signal.aborted) {
      terminal.log(`${name} again: ended at once; the tasks go to other hosts`)
      endProcess(interruptedExitCode())
      return
    }
    terminal.log(`${name}: takes no more tasks; those that run have ${graceSeconds} s; once more ends at once`)
    controller.abort(new Error(name))
  }
  return whileListening(onSignal, () => body(controller.signal))
}
