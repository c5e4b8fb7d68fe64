import { Kernel } from '../../../kernel/kernel.js'
import type { FieldColumn, FieldSchema } from '../../api/fields.js'
import type { Metric, VectorBatch } from '../../api/vectors.js'
import { InvalidFieldError } from '../../errors.js'
import { FieldCodec } from '../../fields/field-codec.js'
import { FieldRowsBuilder } from '../../fields/field-rows-builder.js'
import { assertFields } from '../../fields/schema.js'
import { whyInvalid } from '../../pipeline/ingest/why-invalid.js'
import { withPrepared } from './with-prepared.js'

/** Leaves out the rows that an index cannot take, as a build with `invalid: 'skip'` does. */
export class ValidRows {
  readonly #metric: Metric
  readonly #kernel = Kernel.create()
  readonly #codec: FieldCodec | undefined

  constructor({ metric, fields }: { readonly metric: Metric; readonly fields: FieldSchema | undefined }) {
    this.#metric = metric
    this.#codec = fields && new FieldCodec(assertFields(fields))
  }

  /** The batch itself when all of its rows are valid. */
  of(batch: VectorBatch): VectorBatch {
    const { ids, vectors, dimensions, fields } = batch
    const count = vectors.length / dimensions
    const kept = this.#validOf(batch)
    if (kept.length === count) return batch
    const rows = new Float32Array(kept.length * dimensions)
    for (const [to, at] of kept.entries()) {
      rows.set(vectors.subarray(at * dimensions, (at + 1) * dimensions), to * dimensions)
    }
    return {
      ...(ids !== undefined && { ids: kept.map((at) => ids[at]) }),
      vectors: rows,
      dimensions,
      ...(fields !== undefined && { fields: pickedColumns(fields, kept) }),
    }
  }

  #validOf(batch: VectorBatch): number[] {
    const { vectors, dimensions } = batch
    const metric = this.#metric
    const hasFields = this.#fieldsTest(batch)
    return withPrepared(this.#kernel, vectors, { dimensions, metric }, (_, squaredNorms) => {
      const valid: number[] = []
      for (const [row, norm] of squaredNorms.entries()) {
        if (whyInvalid(norm, metric === 'cosine') === undefined && hasFields(row)) valid.push(row)
      }
      return valid
    })
  }

  /** Whether the fields of a row are such. @throws InvalidOptionError for columns that the index has not */
  #fieldsTest({ fields, vectors, dimensions }: VectorBatch): (row: number) => boolean {
    const codec = this.#codec
    if (codec === undefined || fields === undefined) return () => true
    const columns = codec.columnsOf(fields, vectors.length / dimensions)
    const builder = new FieldRowsBuilder(codec.fields)
    return (row) => {
      builder.clear()
      try {
        builder.addRow(columns, row, row)
        return true
      } catch (error) {
        // What is invalid is left out, and counted by the caller.
        if (error instanceof InvalidFieldError) return false
        throw error
      }
    }
  }
}

function pickedColumns(
  columns: Readonly<Record<string, FieldColumn>>,
  rows: readonly number[],
): Record<string, FieldColumn> {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, rows.map((row) => column[row])]))
}
