/** Thread entry point. Exact search in one segment. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { exactNeighbours, type ExactTask } from '../src/build/tasks/exact-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: ExactTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => exactNeighbours(kernel, task)))
