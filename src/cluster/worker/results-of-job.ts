import { posix } from 'node:path'
import type { TaskJob } from '../messages.js'

/**
 * The folder for the outcome of a job, relative. Another run of the build has another one, beside that of the notice: its
 * first jobs may come before its notice is seen.
 */
export function resultsOfJob({ task }: Pick<TaskJob, 'task'>, noticed: string): string {
  const folder = posix.dirname(task.file)
  const isBeside = posix.dirname(folder) === posix.dirname(noticed) && posix.basename(folder).startsWith('results-')
  return isBeside ? folder : noticed
}
