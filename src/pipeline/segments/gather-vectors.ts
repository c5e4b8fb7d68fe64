import type { RowFile } from '../../rows/file-rows.js'
import { fileOfNode } from '../../rows/open-rows.js'
import type { GatherTask } from '../../tasks/gather-task.js'
import type { Uses } from '../run/run.js'

/** Reads the vectors of ascending nodes into shared memory. */
export async function gatherVectors(
  { tasks }: Uses<'tasks'>,
  nodes: Uint32Array,
  vectors: readonly RowFile[],
  dimensions: number,
): Promise<Float32Array> {
  const gathered = new Float32Array(new SharedArrayBuffer(4 * nodes.length * dimensions))
  const gathers: GatherTask[] = []
  for (let from = 0; from < nodes.length;) {
    const file = vectors[fileOfNode(vectors, nodes[from])]
    let to = from + 1
    while (to < nodes.length && nodes[to] < file.firstNode + file.count) to++
    const rows = gathered.subarray(from * dimensions, to * dimensions)
    gathers.push({ vectors: file, dimensions, nodes: nodes.slice(from, to), rows })
    from = to
  }
  await tasks.runAll(
    gathers,
    (task) => tasks.run('gather', task, `rows of ${task.vectors.path}`),
    () => undefined,
  )
  return gathered
}
