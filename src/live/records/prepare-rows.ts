/** What `upsert` is given, as rows of the log: checked, as float32, of unit length for cosine. */
import { Kernel } from '../../../kernel/kernel.js'
import { storedId } from '../../api/integer-id.js'
import type { GivenBatch, GivenId, Id, Metric, VectorRecord } from '../../api/vectors.js'
import { DimensionMismatchError, InvalidIdError, InvalidVectorError } from '../../errors.js'
import type { FieldRows } from '../../fields/field-rows.js'
import type { Field } from '../../fields/field.js'
import { assertId } from '../../format/ids/encode-ids.js'
import { rowsOfBatch, vectorOf } from '../../pipeline/ingest/source-item.js'
import { whyInvalid } from '../../pipeline/ingest/why-invalid.js'
import { assertNoFields, RowFields } from './row-fields.js'
import { withPrepared } from './with-prepared.js'

export interface Rows {
  readonly ids: readonly Id[]
  /** Row-major. */
  readonly vectors: Float32Array
  /** One for each row, where the index has fields. */
  readonly fields?: FieldRows | undefined
}

/** Of rows, besides their vectors. */
type RowFacts = Omit<Rows, 'vectors'>

interface Shape {
  readonly dimensions: number
  readonly metric: Metric
  readonly fields?: readonly Field[]
}

/** Checks and normalises rows by the kernel that ingest uses: the same vector has the same bytes in a build. */
export class RowPreparer {
  readonly #shape: Shape
  readonly #kernel = Kernel.create()
  readonly #fields: RowFields | undefined

  constructor(shape: Shape) {
    this.#shape = shape
    this.#fields = shape.fields && new RowFields(shape.fields)
  }

  /** Records, one row each. `first`: the position of the first one, for errors. */
  records(records: readonly VectorRecord[], first: number): Rows {
    const { dimensions } = this.#shape
    const vectors = new Float32Array(records.length * dimensions)
    const ids = records.map((record, at) => {
      const id = givenId(record.id, first + at)
      const vector = vectorOf(record, first + at, dimensions)
      if (vector.length !== dimensions) {
        throw new DimensionMismatchError({ ordinal: first + at, id, expected: dimensions, got: vector.length })
      }
      vectors.set(vector, at * dimensions)
      return id
    })
    const fields = this.#fields?.ofRecords(records, ids, first)
    if (fields === undefined) for (const [at, record] of records.entries()) assertNoFields(record, first + at)
    return this.#checked({ ids, vectors, fields }, (at) => first + at)
  }

  /** Rows `from` to `to` of a batch: copies. */
  batch(batch: GivenBatch, from: number, to: number, first: number): Rows {
    const { dimensions } = this.#shape
    const ids = batchIds(batch, from, to, first)
    const vectors = batch.vectors.slice(from * dimensions, to * dimensions)
    const fields = this.fieldsOf(batch, ids, from, first)
    return this.#checked({ ids, vectors, fields }, (at) => first + from + at)
  }

  /** The fields of rows of a batch from `from` on, whose ids these are. @throws InvalidFieldError, InvalidOptionError */
  fieldsOf(batch: GivenBatch, ids: readonly Id[], from: number, first: number): FieldRows | undefined {
    if (this.#fields === undefined) assertNoFields(batch, first)
    return this.#fields?.ofBatch(batch, ids, from, first)
  }

  /** Rows of a batch, whose ids and fields these are, by their positions in it: copies. */
  picked({ vectors }: GivenBatch, { ids, fields }: RowFacts, rows: Uint32Array, first: number): Rows {
    return this.#checked(pickRows({ ids, vectors, fields }, rows), (at) => first + rows[at])
  }

  #checked({ ids, vectors, fields }: Rows, positionOf: (at: number) => number): Rows {
    withPrepared(this.#kernel, vectors, this.#shape, (rows, squaredNorms) => {
      vectors.set(rows)
      for (const [at, norm] of squaredNorms.entries()) {
        const reason = whyInvalid(norm, this.#shape.metric === 'cosine')
        if (reason === undefined) continue
        throw new InvalidVectorError({ ordinal: positionOf(at), id: ids[at], reason, invalidOption: false })
      }
    })
    return { ids, vectors, fields }
  }
}

/** Rows by their positions: copies. */
export function pickRows({ ids, vectors, fields }: Rows, rows: Uint32Array): Rows {
  const dimensions = vectors.length / ids.length
  const picked = new Float32Array(rows.length * dimensions)
  for (const [at, row] of rows.entries()) {
    picked.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), at * dimensions)
  }
  return { ids: Array.from(rows, (row) => ids[row]), vectors: picked, fields: fields?.pick(rows) }
}

/** The ids of rows `from` to `to` of a batch. @throws InvalidIdError */
export function batchIds({ ids }: GivenBatch, from: number, to: number, first: number): Id[] {
  if (ids === undefined) throw new InvalidIdError(`vector ${first} has no id: an upsert needs one for every vector`)
  return Array.from({ length: to - from }, (_, at) => givenId(ids[from + at], first + from + at))
}

/** @throws InvalidIdError */
export function givenId(id: GivenId | undefined, position: number): Id {
  if (id === undefined) throw new InvalidIdError(`vector ${position} has no id: an upsert needs one for every vector`)
  const stored = storedId(id)
  assertId(stored)
  return stored
}

/** @throws DimensionMismatchError, InvalidOptionError */
export function assertBatch(batch: GivenBatch, dimensions: number, first: number): number {
  if (batch.dimensions !== dimensions) {
    throw new DimensionMismatchError({ ordinal: first, expected: dimensions, got: batch.dimensions })
  }
  return rowsOfBatch(batch, first)
}
