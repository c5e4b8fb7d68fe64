import type { FieldValues, JsonValue } from '../api/fields.js'
import type { FieldRowReader } from './field-row-reader.js'

/** The value of a field that the open row has. @throws RangeError when a stored value is no JSON */
export function decodeValue(reader: FieldRowReader, field: number): FieldValues[keyof FieldValues] {
  switch (reader.fields[field].type) {
    case 'keyword':
    case 'text':
      return reader.itemText(field, 0)
    case 'keyword[]':
      return itemsOf(reader, field, (item) => reader.itemText(field, item))
    case 'number':
      return reader.number(field)
    case 'number[]':
      return itemsOf(reader, field, (item) => reader.itemNumber(field, item))
    case 'date':
      return new Date(reader.number(field))
    case 'boolean':
      return reader.number(field) === 1
    case 'geo':
      return { lat: reader.lat(field), lon: reader.lon(field) }
    case 'stored':
      return jsonOf(reader.itemText(field, 0), reader.fields[field].name)
  }
}

function itemsOf<Item>(reader: FieldRowReader, field: number, itemAt: (item: number) => Item): Item[] {
  const items: Item[] = []
  const count = reader.items(field)
  for (let item = 0; item < count; item++) items.push(itemAt(item))
  return items
}

function jsonOf(text: string, name: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (error) {
    throw new RangeError(`the stored value of ${JSON.stringify(name)} is not JSON`, { cause: error })
  }
}
