import type { WorkerOptions, WorkerSummary } from '../../api/worker.js'
import { resolveWorkerOptions } from '../../options/cluster/resolve-worker-options.js'

/**
 * Runs tasks of all builds that want hosts, until `signal` fires, or no build is left for `untilIdleSeconds`. Then it
 * takes no more, ends or gives back what runs, and resolves.
 * @throws InvalidOptionError, MissingPackageError, ClusterError
 */
export async function runWorker(given: WorkerOptions): Promise<WorkerSummary> {
  const { sharedDir } = resolveWorkerOptions(given)
  throw new Error(`not built yet: ${sharedDir}`)
}
