/** Thread entry point. Sends some batches of vectors to their shards. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { routeVectors, type RouteTask } from '../src/build/tasks/route-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: RouteTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => routeVectors(kernel, task)))
