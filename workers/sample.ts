/** Thread entry point. Samples the distinct codes of one shard. */
import { sampleShard, type SampleTask } from '../src/build/tasks/sample-task.js'
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: SampleTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => sampleShard(kernel, task)))
