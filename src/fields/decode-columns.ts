import type { FieldColumn } from '../api/fields.js'
import { decodeValue } from './decode-value.js'
import { FieldRowReader } from './field-row-reader.js'
import type { FieldRows } from './field-rows.js'
import type { Field } from './field.js'

/** Rows as columns of values, as a batch has them: undefined where a value is missing. @throws RangeError */
export function decodeColumns(fields: readonly Field[], rows: FieldRows): Record<string, FieldColumn> {
  const reader = new FieldRowReader(fields)
  const columns = fields.map(() => Array.from<unknown>({ length: rows.count }))
  for (let row = 0; row < rows.count; row++) {
    reader.open(rows.bytes, rows.offsets[row], rows.offsets[row + 1])
    for (const [field, column] of columns.entries()) if (reader.has(field)) column[row] = decodeValue(reader, field)
  }
  return Object.fromEntries(fields.map(({ name }, field) => [name, columns[field]]))
}
