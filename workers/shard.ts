/** Thread entry point. Builds one shard. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { buildShard, type ShardTask } from '../src/build/tasks/shard-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: ShardTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => buildShard(kernel, task)))
