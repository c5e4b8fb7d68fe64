import { CorruptIndexError } from '../errors.js'
import { FieldRowList } from '../fields/field-row-list.js'
import { FieldRowReader } from '../fields/field-row-reader.js'
import type { FieldRows } from '../fields/field-rows.js'
import type { Field } from '../fields/field.js'
import { recordRuns } from '../format/segment/record-runs.js'
import { messageOf } from '../runtime/realms.js'
import { segmentReaders, type StoredGraph } from './stored-graph.js'

/** Field rows in the order of nodes, some megabytes at a time, each checked. @throws CorruptIndexError */
export async function* storedFields(
  graph: StoredGraph,
  fields: readonly Field[],
): AsyncGenerator<FieldRows, void, void> {
  const row = new FieldRowReader(fields)
  for await (const reader of segmentReaders(graph, 'fields')) {
    for await (const run of recordRuns(reader)) {
      const rows = new FieldRowList()
      for (let i = 0; i < run.count; i++) {
        const bytes = run.bytesOf(i)
        try {
          row.open(bytes, 0, bytes.length)
        } catch (error) {
          throw new CorruptIndexError(reader.path, `the fields of node ${run.firstNode + i}: ${messageOf(error)}`)
        }
        rows.add(bytes)
      }
      yield rows.copy()
    }
  }
}

/** The same in portions that the caller chooses. */
export class FieldsByNode {
  readonly #runs: AsyncGenerator<FieldRows, void, void>
  #run: FieldRows | undefined
  /** Rows of the run that were given. */
  #given = 0

  constructor(graph: StoredGraph, fields: readonly Field[]) {
    this.#runs = storedFields(graph, fields)
  }

  /** The next rows, at least one and at most `most`: the caller's to keep. @throws CorruptIndexError */
  async next(most: number): Promise<FieldRows> {
    if (this.#run === undefined || this.#given === this.#run.count) {
      const next = await this.#runs.next()
      if (next.done === true) throw new RangeError('field rows were read past the last node')
      this.#run = next.value
      this.#given = 0
    }
    const rows = this.#run.slice(this.#given, Math.min(this.#given + most, this.#run.count))
    this.#given += rows.count
    return rows
  }

  async close(): Promise<void> {
    await this.#runs.return()
  }
}
