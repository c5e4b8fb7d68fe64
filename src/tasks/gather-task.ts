import type { RowFile } from '../rows/file-rows.js'
import { openRows } from '../rows/open-rows.js'

/** Single vectors of one segment: a sample, or the longest. */
export interface GatherTask {
  readonly vectors: RowFile
  readonly dimensions: number
  /** Ascending, all in the segment. */
  readonly nodes: Uint32Array
  /** nodes.length x dimensions, in shared memory: row i is that of nodes[i]. */
  readonly rows: Float32Array
}

/** Fills `task.rows`. */
export function gatherRows({ vectors, dimensions, nodes, rows }: GatherTask): void {
  const strideBytes = 4 * dimensions
  const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
  const file = openRows(vectors, strideBytes)
  try {
    nodes.forEach((node, i) => file.read(node, bytes.subarray(i * strideBytes, (i + 1) * strideBytes)))
  } finally {
    file.close()
  }
}
