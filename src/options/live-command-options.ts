/** What the commands that change an index take on the command line. */
import * as v from 'valibot'
import { BUILD_COMMAND_OPTIONS } from './build-options.js'
import { COMPACT_OPTIONS, SETTINGS_OPTIONS } from './live-options.js'
import { fieldsToRead, name, option } from './option-values.js'
import { INDEX_ARGUMENT, SHARED_OPTIONS } from './shared-options.js'

const { input, ids, vectorColumn, idColumn, invalid, logFormat } = BUILD_COMMAND_OPTIONS
const quiet = v.optional(SHARED_OPTIONS.quiet, false)

export const CREATE_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  ...SETTINGS_OPTIONS,
  fields: v.optional(
    option(fieldsToRead(), 'names and types of fields, as category:keyword,price:number', {
      value: 'LIST',
      fallback: 'none',
    }),
  ),
  quiet,
} as const

export const UPSERT_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  input,
  ids,
  vectorColumn,
  idColumn,
  fields: v.optional(
    option(fieldsToRead(), 'columns that become fields, of those that the index has', {
      value: 'LIST',
      fallback: 'all of them',
    }),
  ),
  invalid,
  quiet,
} as const

/** One path, or several. */
const words = (allowed: string) =>
  v.union([name(allowed), v.pipe(v.array(name(allowed)), v.minLength(1, allowed))], allowed)

export const DELETE_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  id: v.optional(
    option(words('an id, or several'), 'ids to delete; -- before ids that begin with -', {
      argument: '[id...]',
      fallback: 'none',
    }),
  ),
  ids: v.optional(
    option(name('a path'), 'file with one id a line: text, or JSON in a .jsonl', { value: 'FILE', fallback: 'none' }),
  ),
  quiet,
} as const

export const COMPACT_COMMAND_OPTIONS = { path: INDEX_ARGUMENT, ...COMPACT_OPTIONS, quiet, logFormat } as const
