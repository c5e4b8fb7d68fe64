/** A file of arrays with names: chooses the vectors and the ids among them, and reads both. */
import { InvalidFileError } from '../../errors.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { IdQueue } from '../id-queue.js'
import type { FlatRows } from '../rows/flat-rows.js'
import { planFlatRows } from '../rows/flat-rows.js'
import { planColumnRows } from '../rows/column-rows.js'
import { chooseColumns, type TableColumn } from '../tables/choose-columns.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import { flatIds, type FlatIds } from './flat-ids.js'

export interface NamedArray extends TableColumn {
  /** Of an array of two axes; offsets are in what `open` gives. */
  readonly rows: FlatRows | undefined
  /** True where the rows are stored column by column. */
  readonly byColumn?: boolean
  /** Of an array of one axis. */
  readonly ids: FlatIds | undefined
  /** The bytes that have the array. */
  open(pass: ByteReader): Promise<ByteReader>
}

/** @throws InvalidFileError when there are no such arrays, or their lengths differ */
export function planNamedArrays(path: string, arrays: readonly NamedArray[], options: ReadOptions): ReadPlan {
  const chosen = chooseColumns(arrays, options, 'array')
  if (typeof chosen === 'string') throw new InvalidFileError(path, chosen)
  const vectors = arrays[chosen.vector]
  const rows = vectors.rows as FlatRows
  const { count, dimensions } = rows
  if (!(dimensions >= 1 && dimensions <= MAX_DIMENSIONS)) {
    const reason = `its array ${JSON.stringify(vectors.name)} has d = ${dimensions}, expected 1 to ${MAX_DIMENSIONS}`
    throw new InvalidFileError(path, reason)
  }
  const ids = chosen.id === undefined ? undefined : arrays[chosen.id]
  if (ids?.ids !== undefined && ids.ids.count !== count) {
    const has = `its array ${JSON.stringify(ids.name)} has ${ids.ids.count} ids`
    throw new InvalidFileError(path, `${has}, expected ${count}: one for each row of ${JSON.stringify(vectors.name)}`)
  }
  const plan = vectors.byColumn === true && dimensions > 1 ? planColumnRows(rows) : planFlatRows(rows)
  return {
    ...plan,
    async *batches(pass, startAt) {
      const one = new Uint8Array(1)
      const opened = await vectors.open(pass)
      const idBytes = await ids?.open(pass)
      const queue = ids?.ids && idBytes && new IdQueue(flatIds(idBytes, ids.ids, startAt))
      try {
        for await (const batch of plan.batches(opened, startAt)) {
          const taken = await queue?.take(batch.vectors.length / dimensions)
          yield taken === undefined ? batch : { ids: taken, ...batch }
          // Compressed data may be read to its end already: this read throws when the pass was closed.
          await pass.read(one, 0)
        }
      } finally {
        await queue?.close()
        await idBytes?.close()
        await opened.close()
      }
    },
  }
}
