/** Which files a field has beside the fields segments, which hold all fields of each node. */
import type { FieldType } from '../../api/fields.js'

/** Kinds with one file for a field, of all nodes, numbered by the field's position in the schema. */
export type FieldFileKind = 'column' | 'dictionary' | 'terms' | 'postings'

export const FIELD_FILE_KINDS: readonly FieldFileKind[] = ['column', 'dictionary', 'terms', 'postings']

const COLUMN: readonly FieldFileKind[] = ['column']
const KEYWORD: readonly FieldFileKind[] = ['column', 'dictionary']

export const FILES_OF_FIELD: Readonly<Record<FieldType, readonly FieldFileKind[]>> = {
  keyword: KEYWORD,
  'keyword[]': KEYWORD,
  number: COLUMN,
  'number[]': COLUMN,
  date: COLUMN,
  boolean: COLUMN,
  geo: COLUMN,
  text: ['column', 'terms', 'postings'],
  stored: [],
}
