/** Thread entry point. Picks the leaders of a layer. */
import { outcomeOf } from '../src/build/tasks/task-outcome.js'
import { chooseLeaders, type LeadersTask } from '../src/build/tasks/leaders-task.js'
import { withKernel } from '../src/build/tasks/thread-kernel.js'

export default (task: LeadersTask): ReturnType<typeof outcomeOf> =>
  outcomeOf(() => withKernel((kernel) => chooseLeaders(kernel, task)))
