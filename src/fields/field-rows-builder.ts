import type { FieldColumn, GivenFields } from '../api/fields.js'
import { InvalidFieldError } from '../errors.js'
import { kindOf } from '../wording/value-kind.js'
import { ByteWriter } from './byte-writer.js'
import { isMissing, MAX_FIELD_ROW_BYTES, VALUE_ENCODERS } from './encode-value.js'
import { FieldRows } from './field-rows.js'
import type { Field } from './field.js'
import { isPlainObject, unknownField } from './schema.js'

export interface EncodeSettings {
  /** Whether errors tell of the option `invalid`. Default true. */
  readonly invalidOption?: boolean
}

/**
 * Encodes the fields of records, one after another, into one buffer: nothing is made for each. A record that is refused
 * leaves nothing behind, so the caller may go on with the next.
 */
export class FieldRowsBuilder {
  readonly fields: readonly Field[]
  readonly #names: ReadonlySet<string>
  /** Whether every object has a property of this name, such as "constructor": then only its own counts. */
  readonly #inherited: readonly boolean[]
  readonly #presenceBytes: number
  readonly #invalidOption: boolean
  readonly #writer = new ByteWriter()
  #ends = new Uint32Array(64)
  #count = 0

  constructor(fields: readonly Field[], { invalidOption = true }: EncodeSettings = {}) {
    this.fields = fields
    this.#names = new Set(fields.map(({ name }) => name))
    this.#inherited = fields.map(({ name }) => name in Object.prototype)
    this.#presenceBytes = Math.ceil(fields.length / 8)
    this.#invalidOption = invalidOption
  }

  /** Rows so far. */
  get count(): number {
    return this.#count
  }

  /** Bytes of the rows so far. */
  get byteLength(): number {
    return this.#count === 0 ? 0 : this.#ends[this.#count - 1]
  }

  /** One record. `ordinal` and `id` name it in errors. @throws InvalidFieldError */
  add(given: GivenFields | null | undefined, ordinal: number, id?: string | number): void {
    const start = this.#begin()
    if (given !== undefined && given !== null) {
      this.#assertNames(given, ordinal, id)
      for (let i = 0; i < this.fields.length; i++) {
        const { name } = this.fields[i]
        if (this.#inherited[i] && !Object.hasOwn(given, name)) continue
        this.#value(start, i, given[name], ordinal, id)
      }
    }
    this.#finish(start, ordinal, id)
  }

  /** Row `row` of columns in the order of the schema, as `FieldCodec.columnsOf` gives them. @throws InvalidFieldError */
  addRow(columns: readonly (FieldColumn | undefined)[], row: number, ordinal: number, id?: string | number): void {
    const start = this.#begin()
    for (let i = 0; i < this.fields.length; i++) {
      const column = columns[i]
      if (column !== undefined) this.#value(start, i, column[row], ordinal, id)
    }
    this.#finish(start, ordinal, id)
  }

  /** A row that is encoded already. */
  addEncoded(row: Uint8Array): void {
    this.#begin()
    this.#writer.bytes(row)
    this.#end()
  }

  /** The rows so far; the builder begins again without any. */
  take(): FieldRows {
    this.#writer.end = this.byteLength
    const offsets = new Uint32Array(this.#count + 1)
    offsets.set(this.#ends.subarray(0, this.#count), 1)
    const rows = new FieldRows(this.#writer.copy(), offsets)
    this.clear()
    return rows
  }

  clear(): void {
    this.#count = 0
    this.#writer.end = 0
  }

  /** Cuts off what a refused record has written. */
  #begin(): number {
    const start = this.byteLength
    this.#writer.end = start
    return start
  }

  #finish(start: number, ordinal: number, id: string | number | undefined): void {
    // Without a value nothing has reserved the presence bits.
    if (this.#writer.end === start) this.#writer.zeros(this.#presenceBytes)
    const bytes = this.#writer.end - start
    if (bytes > MAX_FIELD_ROW_BYTES) {
      throw this.#error(
        undefined,
        `the fields take ${bytes} bytes, at most ${MAX_FIELD_ROW_BYTES} are possible; keep long values elsewhere`,
        ordinal,
        id,
      )
    }
    this.#end()
  }

  #end(): void {
    if (this.#count === this.#ends.length) {
      const grown = new Uint32Array(2 * this.#count)
      grown.set(this.#ends)
      this.#ends = grown
    }
    this.#ends[this.#count++] = this.#writer.end
  }

  #value(start: number, field: number, value: unknown, ordinal: number, id: string | number | undefined): void {
    const { name, type } = this.fields[field]
    if (isMissing(type, value)) return
    if (this.#writer.end === start) this.#writer.zeros(this.#presenceBytes)
    this.#writer.setBit(start, field)
    const problem = VALUE_ENCODERS[type](this.#writer, value)
    if (problem !== undefined) throw this.#error(name, problem, ordinal, id)
  }

  #assertNames(given: object, ordinal: number, id: string | number | undefined): void {
    let names = 0
    for (const name in given) {
      names++
      if (!this.#names.has(name) && Object.hasOwn(given, name)) {
        throw this.#error(undefined, unknownField(name, this.fields), ordinal, id)
      }
    }
    // A Map, a Date or a Promise has none.
    if (typeof given !== 'object' || Array.isArray(given) || (names === 0 && !isPlainObject(given))) {
      throw this.#error(undefined, `fields must be an object of names and values, got ${kindOf(given)}`, ordinal, id)
    }
  }

  #error(field: string | undefined, reason: string, ordinal: number, id?: string | number): InvalidFieldError {
    return new InvalidFieldError({ ordinal, id, field, reason, invalidOption: this.#invalidOption })
  }
}
