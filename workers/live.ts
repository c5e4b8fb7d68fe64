/** The entry point of threads that seal, merge and compact a live index beside its searches. */
import os from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { internStrings } from '../src/runtime/interned.js'
import type { JobName, JobRequest, Jobs } from '../src/live/jobs/jobs.js'
import { outcomeOf, type TaskOutcome } from '../src/tasks/task-outcome.js'

// Searches come first. Linux has priorities of threads, which the threads of a build inherit; elsewhere this would be the
// whole process.
const BACKGROUND_NICENESS = 10
if (process.platform === 'linux' && !isMainThread) os.setPriority(0, BACKGROUND_NICENESS)

type RunJob<Name extends JobName> = (job: Jobs[Name]['job']) => Promise<Jobs[Name]['result']>

const JOBS: { readonly [Name in JobName]: () => Promise<RunJob<Name>> } = {
  seal: async () => (await import('../src/live/jobs/seal-job.js')).sealRows,
  merge: async () => (await import('../src/live/jobs/merge-job.js')).mergeParts,
  compact: async () => (await import('../src/live/jobs/compact-generation.js')).compactGeneration,
}

/** Runs one job. */
export default async function runJob<Name extends JobName>(
  request: JobRequest<Name>,
): Promise<TaskOutcome<Jobs[Name]['result']>> {
  const run: RunJob<Name> = await JOBS[request.name]()
  return outcomeOf(() => run(internStrings(request.job)))
}
