import type { Id } from '../api/vectors.js'
import { NodeRows, storedIds, type StoredGraph } from './stored-graph.js'

/** Rows of a generation with their ids, in the order of nodes. */
export interface StoredRows {
  readonly firstNode: number
  readonly ids: readonly Id[]
  /** ids.length x dimensions: the caller's to keep. */
  readonly vectors: Float32Array
}

/** Every row of the generation, in big sequential reads. Compares every block with its checksum. */
export async function* storedRows(graph: StoredGraph): AsyncGenerator<StoredRows, void, void> {
  const rows = new NodeRows(graph, 'vectors')
  let firstNode = 0
  try {
    for await (const ids of storedIds(graph)) {
      const bytes = await rows.next(ids.length)
      const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).slice()
      yield { firstNode, ids, vectors }
      firstNode += ids.length
    }
  } finally {
    await rows.close()
  }
}
