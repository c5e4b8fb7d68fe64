/** Thread entry point. Searches the finished graph. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { searchFinished, type RecallTask } from '../src/build/tasks/recall-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: RecallTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => searchFinished(kernel, task)))
