import { ClusterError, ShardloomError } from '../../errors.js'
import { packageVersion } from '../../host/package-version.js'
import { errorData } from '../../tasks/task-outcome.js'
import type { WorkerPool } from '../../tasks/worker-pool.js'
import { decodeTask, type DecodedTask } from '../files/decode-task.js'
import { dropOwnFiles, encodeFailure, encodeResult } from '../files/encode-outcome.js'
import type { HostFiles } from '../files/host-files.js'
import type { TaskDone, TaskJob } from '../messages.js'
import { useSpareMemory } from './use-spare-memory.js'

/** A job, what it needs, and what is told of it. */
export interface Execution {
  readonly files: HostFiles
  readonly pool: Pick<WorkerPool, 'runTimed'>
  readonly host: string
  readonly job: TaskJob
  /** Memory that it may take beyond its own. */
  readonly spareBytes: number
  /** Gives the task up. */
  readonly signal: AbortSignal
  /** Files of a task that was given up, which could not be deleted: the build deletes them at its end. */
  readonly onLeft: (error: unknown) => void
}

export interface Executed {
  readonly done: TaskDone
  /** Time of the thread; 0 for a task that failed. */
  readonly busyMs: number
  /** Why the task failed; undefined when it did not. */
  readonly failure: ShardloomError | undefined
}

/**
 * Runs a task: reads it, runs it on a thread, and writes its outcome, a typed error too.
 * @throws what keeps the outcome from being written; AbortedError when it was given up
 */
export async function executeTask(execution: Execution): Promise<Executed> {
  const { files, pool, host, job, spareBytes, signal, onLeft } = execution
  const startMs = performance.now()
  const figures = () => ({ elapsedMs: performance.now() - startMs, rssBytes: process.memoryUsage.rss() })
  let decoded: DecodedTask | undefined
  try {
    refuseOtherVersion(job)
    decoded = await decodeTask(files, job)
    const ran = await pool.runTimed(
      decoded.name,
      useSpareMemory(decoded.name, decoded.task, spareBytes),
      job.label,
      signal,
    )
    const done = await encodeResult(files, decoded, ran, { host, figures: figures() })
    return { done, busyMs: ran.busyMs, failure: undefined }
  } catch (error) {
    if (decoded !== undefined) await dropOwnFiles(decoded).catch(onLeft)
    if (signal.aborted || !(error instanceof ShardloomError)) throw error
    const done = await encodeFailure(files, job, errorData(error), { host, figures: figures() })
    return { done, busyMs: 0, failure: error }
  } finally {
    decoded?.release()
  }
}

function refuseOtherVersion({ version }: TaskJob): void {
  const own = packageVersion()
  if (version === own) return
  throw new ClusterError(`a task of version ${version} came to a worker of ${own}: install the same version`)
}
