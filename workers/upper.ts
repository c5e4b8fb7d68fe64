/** Thread entry point. Links one upper level. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { linkUpperLevel, type UpperTask } from '../src/build/tasks/upper-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: UpperTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => linkUpperLevel(kernel, task)))
