/** The fields of what `upsert` is given, encoded. */
import type { GivenBatch, Id, VectorRecord } from '../../api/vectors.js'
import { InvalidOptionError } from '../../errors.js'
import { FieldCodec } from '../../fields/field-codec.js'
import { FieldRowsBuilder } from '../../fields/field-rows-builder.js'
import type { FieldRows } from '../../fields/field-rows.js'
import type { Field } from '../../fields/field.js'

export class RowFields {
  readonly #codec: FieldCodec
  readonly #builder: FieldRowsBuilder

  constructor(fields: readonly Field[]) {
    // A change is refused whole.
    this.#builder = new FieldRowsBuilder(fields, { invalidOption: false })
    this.#codec = new FieldCodec(fields)
  }

  /** `first`: the position of the first record, for errors. @throws InvalidFieldError */
  ofRecords(records: readonly VectorRecord[], ids: readonly Id[], first: number): FieldRows {
    this.#builder.clear()
    for (const [at, { fields }] of records.entries()) this.#builder.add(fields, first + at, ids[at])
    return this.#builder.take()
  }

  /** Of rows from `from` on, whose ids these are. @throws InvalidFieldError, InvalidOptionError */
  ofBatch({ fields, vectors, dimensions }: GivenBatch, ids: readonly Id[], from: number, first: number): FieldRows {
    const count = vectors.length / dimensions
    const columns = this.#codec.columnsOf(fields ?? {}, count)
    this.#builder.clear()
    for (const [at, id] of ids.entries()) this.#builder.addRow(columns, from + at, first + from + at, id)
    return this.#builder.take()
  }
}

/** @throws InvalidOptionError when a record or a batch has fields, and the index none */
export function assertNoFields(
  { fields }: Pick<VectorRecord, 'fields'> | Pick<GivenBatch, 'fields'>,
  position: number,
): void {
  if (fields === undefined) return
  throw new InvalidOptionError(
    `vector ${position} has fields, and the index was made without: name their types when it is made, by ` +
      'createIndex(path, { dimensions, fields: { name: type } }), or build it again with the option fields',
  )
}
