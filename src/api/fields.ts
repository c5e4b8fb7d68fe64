/** Fields: what a record has beside its vector, to filter by, to find words in, and to get back. */

/**
 * What a field holds. keyword: text that is compared whole. text: words that searches find. stored: any JSON value, which
 * is only given back.
 */
export type FieldType = 'keyword' | 'keyword[]' | 'number' | 'number[]' | 'date' | 'boolean' | 'geo' | 'text' | 'stored'

export const FIELD_TYPES = [
  'keyword',
  'keyword[]',
  'number',
  'number[]',
  'date',
  'boolean',
  'geo',
  'text',
  'stored',
] as const satisfies readonly FieldType[]

/** Names of fields and their types. The order counts: it is that of stored bytes. */
export type FieldSchema = Readonly<Record<string, FieldType>>

/** A place on the earth, in degrees: −90 to 90, −180 to 180. */
export interface GeoPoint {
  readonly lat: number
  readonly lon: number
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** What a field of each type gives back. */
export interface FieldValues {
  readonly keyword: string
  readonly 'keyword[]': readonly string[]
  readonly number: number
  readonly 'number[]': readonly number[]
  readonly date: Date
  readonly boolean: boolean
  readonly geo: GeoPoint
  readonly text: string
  readonly stored: JsonValue
}

/** What a field of each type takes. A date may be text of ISO 8601, or milliseconds since 1970 (UTC). */
export interface GivenFieldValues extends Omit<FieldValues, 'date'> {
  readonly date: Date | string | number
}

/** The fields of one record, as they come back: those that have a value. */
export type FieldsOf<Schema extends FieldSchema> = { readonly [Name in keyof Schema]?: FieldValues[Schema[Name]] }

/** The fields of one record, as they are given. What is left out, null, or an empty list is missing. */
export type GivenFields<Schema extends FieldSchema = FieldSchema> = {
  readonly [Name in keyof Schema]?: GivenFieldValues[Schema[Name]] | null | undefined
}

/** One field of the rows of a batch: a value for each row. */
export type FieldColumn = ArrayLike<unknown>
