import type { FieldColumn, FieldValues, GivenFields } from '../api/fields.js'
import { InvalidOptionError } from '../errors.js'
import { kindOf } from '../wording/value-kind.js'
import { decodeValue } from './decode-value.js'
import { FieldRowReader } from './field-row-reader.js'
import { FieldRowsBuilder, type EncodeSettings } from './field-rows-builder.js'
import type { FieldRows } from './field-rows.js'
import type { Field } from './field.js'
import { isPlainObject, unknownField } from './schema.js'

export type FieldValue = FieldValues[keyof FieldValues]

/** Fields of records into bytes and back. */
export class FieldCodec {
  readonly fields: readonly Field[]
  readonly #builder: FieldRowsBuilder
  readonly #reader: FieldRowReader

  constructor(fields: readonly Field[], settings: EncodeSettings = {}) {
    this.fields = fields
    this.#builder = new FieldRowsBuilder(fields, settings)
    this.#reader = new FieldRowReader(fields)
  }

  /** Rows of records; the ordinal of the first names them in errors. @throws InvalidFieldError */
  encodeRecords(given: readonly (GivenFields | null | undefined)[], first: number): FieldRows {
    const builder = this.#builder
    builder.clear()
    for (let i = 0; i < given.length; i++) builder.add(given[i], first + i)
    return builder.take()
  }

  /**
   * Rows `from` to `to` of columns; the ordinal of row `from` names it in errors.
   * @throws InvalidFieldError, InvalidOptionError
   */
  encodeColumns(columns: Readonly<Record<string, FieldColumn>>, from: number, to: number, first: number): FieldRows {
    const inOrder = this.columnsOf(columns)
    const builder = this.#builder
    builder.clear()
    for (let row = from; row < to; row++) builder.addRow(inOrder, row, first + row - from)
    return builder.take()
  }

  /**
   * The columns of a batch in the order of the schema; those of fields that are not given are undefined.
   * @throws InvalidOptionError for a name that is no field, and for a column that has not `count` values, where given
   */
  columnsOf(columns: Readonly<Record<string, FieldColumn>>, count?: number): (FieldColumn | undefined)[] {
    if (!isPlainObject(columns)) {
      throw new InvalidOptionError(`the fields of a batch must be an object of columns, got ${kindOf(columns)}`)
    }
    const positions = new Map(this.fields.map(({ name }, at) => [name, at]))
    const inOrder = Array.from<FieldColumn | undefined>({ length: this.fields.length })
    for (const [name, column] of Object.entries<unknown>(columns)) {
      if (column === undefined || column === null) continue
      const at = positions.get(name)
      if (at === undefined) throw new InvalidOptionError(`a batch has the ${unknownField(name, this.fields)}`)
      assertColumn(name, column, count)
      inOrder[at] = column
    }
    return inOrder
  }

  /**
   * The values of an encoded row; missing ones are absent. Only the fields at these positions, when given.
   * @throws RangeError when the bytes are no row
   */
  decode(row: Uint8Array, only?: ReadonlySet<number>): Record<string, FieldValue> {
    const reader = this.#reader
    reader.open(row, 0, row.length)
    const values: Record<string, FieldValue> = {}
    for (let i = 0; i < this.fields.length; i++) {
      if (reader.has(i) && (only === undefined || only.has(i))) {
        values[this.fields[i].name] = decodeValue(reader, i)
      }
    }
    return values
  }
}

function assertColumn(name: string, column: unknown, count: number | undefined): asserts column is FieldColumn {
  const { length } = column as { readonly length?: unknown }
  if (typeof column !== 'object' || typeof length !== 'number') {
    throw new InvalidOptionError(
      `a batch has ${kindOf(column)} as ${JSON.stringify(name)}; give an array, a value for each vector`,
    )
  }
  if (count !== undefined && length !== count) {
    throw new InvalidOptionError(
      `a batch has ${count} vectors and ${length} values of ${JSON.stringify(name)}; give a value for each vector, ` +
        'null where there is none',
    )
  }
}
