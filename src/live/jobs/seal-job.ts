import type { Id } from '../../api/vectors.js'
import { FieldRows } from '../../fields/field-rows.js'
import type { LiveSettings, PartEntry } from '../../format/live/parts-file.js'
import type { Deletes } from './deletes.js'
import { writePart, type NewPart } from './write-part.js'

/** Changes in memory that become a part. */
export interface SealJob {
  readonly indexDir: string
  readonly number: number
  readonly settings: LiveSettings
  /** Ascending by sequence; every id once, unless ids may repeat. */
  readonly ids: readonly Id[]
  readonly vectors: Float32Array
  readonly sequences: Float64Array
  /** One for each row, where the index has fields: what is left of `FieldRows` when a thread gets it. */
  readonly fields: Pick<FieldRows, 'bytes' | 'offsets'> | undefined
  readonly deletes: Deletes
  readonly graphRows: number
  readonly flatBytes: number
  readonly build: NewPart['build']
}

export function sealRows({ ids, vectors, sequences, fields: given, ...part }: SealJob): Promise<PartEntry> {
  const fields = given && new FieldRows(given.bytes, given.offsets)
  return writePart({
    ...part,
    count: ids.length,
    fieldBytes: fields?.bytes.length ?? 0,
    rows: [{ ids, vectors, sequences, fields }],
  })
}
