import type { RowFile } from '../../rows/file-rows.js'
import { fileOfNode } from '../../rows/open-rows.js'
import type { GatherTask } from '../../tasks/gather-task.js'
import type { Uses } from '../run/run.js'

/** Reads the vectors of ascending nodes into shared memory. */
export async function gatherVectors(
  { threads }: Uses<'threads'>,
  nodes: Uint32Array,
  vectors: readonly RowFile[],
  dimensions: number,
): Promise<Float32Array> {
  const gathered = new Float32Array(new SharedArrayBuffer(4 * nodes.length * dimensions))
  const tasks: GatherTask[] = []
  for (let from = 0; from < nodes.length;) {
    const file = vectors[fileOfNode(vectors, nodes[from])]
    let to = from + 1
    while (to < nodes.length && nodes[to] < file.firstNode + file.count) to++
    const rows = gathered.subarray(from * dimensions, to * dimensions)
    tasks.push({ vectors: file, dimensions, nodes: nodes.slice(from, to), rows })
    from = to
  }
  await threads.runAll(
    tasks,
    (task) => threads.run('gather', task, `rows of ${task.vectors.path}`),
    () => undefined,
  )
  return gathered
}
