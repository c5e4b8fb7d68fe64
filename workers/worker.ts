/** The one entry point of worker threads. */
import type { Kernel } from '../kernel/kernel.js'
import type { SearchSlice } from '../src/search/batch/search-slice.js'
import { internStrings } from '../src/interned.js'
import { outcomeOf, type TaskOutcome } from '../src/tasks/task-outcome.js'
import type { TaskName, TaskRequest, Tasks } from '../src/tasks/tasks.js'
import { withKernel } from '../src/tasks/thread-kernel.js'

type Result<Name extends TaskName> = Tasks[Name]['result']
type RunTask<Name extends TaskName> = (
  kernel: Kernel,
  task: Tasks[Name]['task'],
) => Result<Name> | Promise<Result<Name>>

/** A task's code is loaded when the thread is first asked for it: most threads run few kinds. */
const TASKS: { readonly [Name in TaskName]: () => Promise<RunTask<Name>> } = {
  leaders: async () => (await import('../src/tasks/route/leaders-task.js')).chooseLeaders,
  route: async () => (await import('../src/tasks/route/route-task.js')).routeVectors,
  sample: async () => (await import('../src/tasks/route/sample-task.js')).sampleShard,
  cut: async () => (await import('../src/tasks/route/cut-task.js')).cutRecords,
  trial: async () => (await import('../src/tasks/link/trial-task.js')).tryQuality,
  shard: async () => (await import('../src/tasks/link/shard-task.js')).buildShard,
  restore: async () => (await import('../src/tasks/link/restore-task.js')).restoreCheckpoint,
  longest: async () => (await import('../src/tasks/link/longest-task.js')).findLongest,
  merge: async () => (await import('../src/tasks/link/merge-task.js')).mergeSegment,
  upper: async () => (await import('../src/tasks/link/upper-task.js')).linkUpperLevel,
  gather: async () => {
    const { gatherRows } = await import('../src/tasks/gather-task.js')
    return (_, task) => gatherRows(task)
  },
  train: async () => (await import('../src/tasks/quantize/train-task.js')).trainCodebook,
  encode: async () => (await import('../src/tasks/quantize/encode-task.js')).encodeSegment,
  reach: async () => (await import('../src/tasks/prove/reach-task.js')).reachAll,
  exact: async () => (await import('../src/tasks/prove/exact-task.js')).exactNeighbours,
  recall: async () => (await import('../src/tasks/prove/recall-task.js')).searchFinished,
}

/** Runs one task of a build. */
export default async function runTask<Name extends TaskName>(
  request: TaskRequest<Name>,
): Promise<TaskOutcome<Result<Name>>> {
  const run: RunTask<Name> = await TASKS[request.name]()
  const task = internStrings(request.task)
  return outcomeOf(() => withKernel((kernel) => run(kernel, task)))
}

/** Searches an index in shared memory, for `searchBatch`. */
export async function search(slice: SearchSlice): Promise<void> {
  const { searchSlice } = await import('../src/search/batch/search-slice.js')
  searchSlice(internStrings(slice))
}
