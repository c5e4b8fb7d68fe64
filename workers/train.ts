/** Thread entry point. Trains a part of the codebook. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'
import { trainCodebook, type TrainTask } from '../src/build/tasks/train-task.js'

export default (task: TrainTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => trainCodebook(kernel, task)))
