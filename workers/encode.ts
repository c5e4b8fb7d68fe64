/** Thread entry point. Writes the compact codes of one segment. */
import { encodeSegment, type EncodeTask } from '../src/build/tasks/encode-task.js'
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: EncodeTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => encodeSegment(kernel, task)))
