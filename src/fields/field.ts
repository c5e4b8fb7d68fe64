import type { FieldType } from '../api/fields.js'

/** One field of a schema, as the manifest and PARTS list it. Its position is its number in filters and files. */
export interface Field {
  readonly name: string
  readonly type: FieldType
}
