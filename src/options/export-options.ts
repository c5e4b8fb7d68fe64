import * as v from 'valibot'
import type { ExportFormat, ExportProgress } from '../api/interop.js'
import { callable, choice, flag, name, option } from './option-values.js'
import { OUT_ALIAS, SHARED_OPTIONS } from './shared-options.js'

export const EXPORT_FORMATS = ['hnswlib', 'usearch', 'fvecs'] as const satisfies readonly ExportFormat[]

export const EXPORT_OPTIONS = {
  format: option(choice(EXPORT_FORMATS), 'hnswlib, usearch or fvecs', {
    value: 'F',
    type: 'ExportFormat',
    doc: "the format of the file: 'hnswlib', 'usearch', or 'fvecs' for the vectors alone",
  }),
  out: option(name('the file to write'), 'the file to write', {
    value: 'FILE',
    alias: OUT_ALIAS,
    doc: 'the file to write. It appears under its name when it is complete, not before',
  }),
  overwrite: v.optional(
    option(flag(), 'replace a file that exists', {
      flag: 'force',
      doc: 'replace a file that exists; otherwise it is refused',
    }),
    false,
  ),
  baseOnly: v.optional(
    option(flag(), 'leave out what changed since the last build', {
      doc:
        'export the last build alone when the index was changed since; otherwise that is refused, because the file ' +
        'would lack the changes',
    }),
    false,
  ),
  signal: v.optional(SHARED_OPTIONS.signal),
  onProgress: v.optional(
    option(callable<(progress: ExportProgress) => void>('a function'), 'called every few MiB', {
      noFlag: true,
      fallback: 'none',
      type: '(progress: ExportProgress) => void',
    }),
  ),
} as const

export const exportOptionsSchema = v.strictObject(EXPORT_OPTIONS)
