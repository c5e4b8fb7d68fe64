/** Thread entry point. Proves that every node can be reached, and repairs. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { reachAll, type ReachTask } from '../src/build/tasks/reach-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: ReachTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => reachAll(kernel, task)))
