/** Thread entry point. Checks and restores one finished unit of an interrupted build. */
import { restoreUnit, type RestoreTask } from '../src/build/tasks/restore-task.js'
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: RestoreTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => restoreUnit(kernel, task)))
