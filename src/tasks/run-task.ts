/** From the name of a task to the task. */
import type { Kernel } from '../../kernel/kernel.js'
import { internStrings } from '../runtime/interned.js'
import { outcomeOf, type TaskOutcome } from './task-outcome.js'
import type { TaskName, TaskRequest, Tasks } from './tasks.js'
import { withKernel } from './thread-kernel.js'

type Result<Name extends TaskName> = Tasks[Name]['result']
type RunTask<Name extends TaskName> = (
  kernel: Kernel,
  task: Tasks[Name]['task'],
) => Result<Name> | Promise<Result<Name>>

/** A task's code is loaded when the thread is first asked for it: most threads run few kinds. */
const TASKS: { readonly [Name in TaskName]: () => Promise<RunTask<Name>> } = {
  leaders: async () => (await import('./route/leaders-task.js')).chooseLeaders,
  route: async () => (await import('./route/route-task.js')).routeVectors,
  sample: async () => (await import('./route/sample-task.js')).sampleShard,
  cut: async () => (await import('./route/cut-task.js')).cutRecords,
  trial: async () => (await import('./link/trial-task.js')).tryQuality,
  shard: async () => (await import('./link/shard-task.js')).buildShard,
  restore: async () => (await import('./link/restore-task.js')).restoreCheckpoint,
  longest: async () => (await import('./link/longest-task.js')).findLongest,
  merge: async () => (await import('./link/merge-task.js')).mergeSegment,
  upper: async () => (await import('./link/upper-task.js')).linkUpperLevel,
  gather: async () => {
    const { gatherRows } = await import('./gather-task.js')
    return (_, task) => gatherRows(task)
  },
  train: async () => (await import('./quantize/train-task.js')).trainCodebook,
  encode: async () => (await import('./quantize/encode-task.js')).encodeSegment,
  reach: async () => (await import('./prove/reach-task.js')).reachAll,
  exact: async () => (await import('./prove/exact-task.js')).exactNeighbours,
  recall: async () => (await import('./prove/recall-task.js')).searchFinished,
}

/** Runs one task of a build. */
export async function runTask<Name extends TaskName>(request: TaskRequest<Name>): Promise<TaskOutcome<Result<Name>>> {
  const run: RunTask<Name> = await TASKS[request.name]()
  const task = internStrings(request.task)
  return outcomeOf(() => withKernel((kernel) => run(kernel, task)))
}
