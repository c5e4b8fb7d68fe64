/** Thread entry point. Builds and searches a part of the sample. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'
import { tryBalanced, type TrialTask } from '../src/build/tasks/trial-task.js'

export default (task: TrialTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => tryBalanced(kernel, task)))
