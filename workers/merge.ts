/** Thread entry point. Merges one segment. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { mergeSegment, type MergeTask } from '../src/build/tasks/merge-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: MergeTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => mergeSegment(kernel, task)))
