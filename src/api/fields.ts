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

/**
 * What a field of each type takes. Numbers are finite; a bigint must be exact as a number. A date may be text of ISO 8601,
 * in UTC where it names no zone, or milliseconds since 1970.
 */
export interface GivenFieldValues {
  readonly keyword: string
  readonly 'keyword[]': readonly string[]
  readonly number: number | bigint
  readonly 'number[]': ArrayLike<number | bigint>
  readonly date: Date | string | number | bigint
  readonly boolean: boolean
  readonly geo: GeoPoint
  readonly text: string
  /** Whatever comes back from JSON as it is. */
  readonly stored: JsonValue | object
}

/** The fields of one record, as they come back: those that have a value. */
export type FieldsOf<Schema extends FieldSchema> = { readonly [Name in keyof Schema]?: FieldValues[Schema[Name]] }

/** The fields of one record, as they are given. What is left out, null, or a list of no items (`[]` types) is missing. */
export type GivenFields<Schema extends FieldSchema = FieldSchema> = {
  readonly [Name in keyof Schema]?: GivenFieldValues[Schema[Name]] | null | undefined
}

/** One field of the rows of a batch: a value for each row. */
export type FieldColumn = ArrayLike<unknown>

/** Values that are compared with a field of a type, or with the items of a list. */
export interface FilterOperands {
  readonly keyword: string
  readonly 'keyword[]': string
  readonly number: number | bigint
  readonly 'number[]': number | bigint
  readonly date: Date | string | number | bigint
  readonly boolean: boolean
}

/** Whether records have a value of the field. Records without one are found by `$exists: false` only. */
export interface ExistsOperator {
  readonly $exists?: boolean
}

/** A list has a value when one of its items is equal; `$ne` and `$nin` find values, and lists, that have none of them. */
export interface EqualityOperators<Value> extends ExistsOperator {
  readonly $eq?: Value
  readonly $ne?: Value
  readonly $in?: readonly Value[] | ReadonlySet<Value>
  readonly $nin?: readonly Value[] | ReadonlySet<Value>
}

/** Text is ordered by its code points. Of a list, one item must be inside all bounds. */
export interface OrderOperators<Value> extends EqualityOperators<Value> {
  readonly $gt?: Value
  readonly $gte?: Value
  readonly $lt?: Value
  readonly $lte?: Value
}

/** Places at most `km` kilometres from another one. */
export interface NearOperator extends ExistsOperator {
  readonly $near?: GeoPoint & { readonly km: number }
}

/** The operators that a field of a type takes. Several of them must all be true. */
export type FieldOperators<Type extends FieldType> = Type extends 'boolean'
  ? EqualityOperators<boolean>
  : Type extends keyof FilterOperands
    ? OrderOperators<FilterOperands[Type]>
    : Type extends 'geo'
      ? NearOperator
      : ExistsOperator

/** What a filter asks of a field: to be equal to a value, or operators. */
export type FieldCondition<Type extends FieldType> =
  | (Type extends keyof FilterOperands ? FilterOperands[Type] : never)
  | (FieldOperators<Type> & { readonly $not?: FieldCondition<Type> })

/**
 * Which records a search may find: conditions on fields, all of which must be true. `Filter<typeof schema>` knows the
 * names of a schema and the operators of its types.
 */
export type Filter<Schema extends FieldSchema = FieldSchema> = string extends keyof Schema
  ? AnyFilter
  : { readonly [Name in keyof Schema]?: FieldCondition<Schema[Name]> } & {
      readonly $and?: readonly Filter<Schema>[]
      readonly $or?: readonly Filter<Schema>[]
      readonly $not?: Filter<Schema>
    }

/** A filter for a schema that the compiler does not know. */
export interface AnyFilter {
  readonly $and?: readonly AnyFilter[]
  readonly $or?: readonly AnyFilter[]
  readonly $not?: AnyFilter
  readonly [name: string]: FieldCondition<FieldType> | AnyFilter | readonly AnyFilter[] | undefined
}
