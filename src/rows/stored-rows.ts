import type { Id } from '../api/vectors.js'
import type { FieldRows } from '../fields/field-rows.js'
import { FieldsByNode } from './stored-fields.js'
import { NodeRows, storedIds, type StoredGraph } from './stored-graph.js'

/** Rows of a generation with their ids, in the order of nodes. */
export interface StoredRows {
  readonly firstNode: number
  readonly ids: readonly Id[]
  /** ids.length x dimensions: the caller's to keep. */
  readonly vectors: Float32Array
  /** One for each row, the caller's to keep; undefined in an index without fields. */
  readonly fields: FieldRows | undefined
}

/** Every row of the generation, in big sequential reads. Compares every block with its checksum. */
export async function* storedRows(graph: StoredGraph): AsyncGenerator<StoredRows, void, void> {
  const rows = new NodeRows(graph, 'vectors')
  const { fields: list } = graph.manifest
  const stored = list && new FieldsByNode(graph, list)
  let firstNode = 0
  try {
    for await (const run of storedIds(graph)) {
      for (let from = 0; from < run.length;) {
        // Fewer rows at a time where their fields are long.
        const fields = await stored?.next(run.length - from)
        const count = fields?.count ?? run.length
        const ids = count === run.length ? run : run.slice(from, from + count)
        const bytes = await rows.next(count)
        const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).slice()
        yield { firstNode, ids, vectors, fields }
        firstNode += count
        from += count
      }
    }
  } finally {
    await rows.close()
    await stored?.close()
  }
}
