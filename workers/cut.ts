/** Thread entry point. Cuts some records of a shard that no distance divides. */
import { cutRecords, type CutTask } from '../src/build/tasks/cut-task.js'
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: CutTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => cutRecords(kernel, task)))
