import type { FieldValues, JsonValue } from '../api/fields.js'
import type { FieldRowReader } from './field-row-reader.js'

/** The value of a field that the open row has. @throws RangeError when a stored value is no JSON */
export function decodeValue(reader: FieldRowReader, field: number): FieldValues[keyof FieldValues] {
  switch (reader.fields[field].type) {
    case 'keyword':
    case 'text':
      return textOf(reader, field, 0)
    case 'keyword[]':
      return Array.from({ length: reader.items(field) }, (_, item) => textOf(reader, field, item))
    case 'number':
      return reader.number(field)
    case 'number[]':
      return Array.from({ length: reader.items(field) }, (_, item) => reader.itemNumber(field, item))
    case 'date':
      return new Date(reader.number(field))
    case 'boolean':
      return reader.number(field) === 1
    case 'geo':
      return { lat: reader.lat(field), lon: reader.lon(field) }
    case 'stored':
      return jsonOf(textOf(reader, field, 0), reader.fields[field].name)
  }
}

function textOf(reader: FieldRowReader, field: number, item: number): string {
  const { bytes } = reader
  const from = reader.itemFrom(field, item)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'utf8',
    from,
    reader.itemTo(field, item),
  )
}

function jsonOf(text: string, name: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (error) {
    throw new RangeError(`the stored value of ${JSON.stringify(name)} is not JSON`, { cause: error })
  }
}
