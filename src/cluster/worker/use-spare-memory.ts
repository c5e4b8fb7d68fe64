import type { TaskName, Tasks } from '../../tasks/tasks.js'

/** One pass over the grid rows of a segment's neighbours; larger chunks save nothing. */
const MOST_CHUNK_BYTES = 256 * 2 ** 20

/**
 * The task, with memory that its host has and no plan counts on. A merge reads the grid rows of its candidates chunk by
 * chunk, and the chunks of a segment have nearly the same candidates: of 400,000 vectors of 128 dimensions, chunks of 16
 * MiB read 6.5 GB, one chunk a segment 1.9 GB. The links are the same.
 */
export function useSpareMemory<Name extends TaskName>(
  name: Name,
  task: Tasks[Name]['task'],
  spareBytes: number,
): Tasks[Name]['task'] {
  if (!isMerge(name, task)) return task
  const chunkBytes = Math.max(task.chunkBytes, Math.min(MOST_CHUNK_BYTES, task.chunkBytes + spareBytes))
  return { ...task, chunkBytes }
}

function isMerge(name: TaskName, task: Tasks[TaskName]['task']): task is Tasks['merge']['task'] {
  return name === 'merge' && 'chunkBytes' in task
}
