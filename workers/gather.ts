/** Thread entry point. Reads the sampled vectors of one segment. */
import { gatherRows, type GatherTask } from '../src/build/tasks/gather-task.js'
import { outcomeOf } from '../src/build/tasks/task-outcome.js'

export default (task: GatherTask): ReturnType<typeof outcomeOf> => outcomeOf(() => gatherRows(task))
