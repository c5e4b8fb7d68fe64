import * as v from 'valibot'
import { MAX_COUNT } from './limits.js'
import { integer, option } from './option-values.js'
import { DEFAULT_ENGINE, DEFAULT_M, SHARED_OPTIONS } from './shared-options.js'

export const ESTIMATE_OPTIONS = {
  count: option(integer(1, MAX_COUNT), 'number of vectors', { value: 'N' }),
  dimensions: SHARED_OPTIONS.dimensions,
  metric: v.optional(SHARED_OPTIONS.metric, 'l2'),
  fieldBytes: v.optional(
    option(integer(0, 2 ** 20), 'bytes of the fields of a record on average; 0: without fields', {
      value: 'N',
      doc: 'bytes of the fields of a record on average: text as UTF-8 and 8 bytes a number; 0 for a build without fields',
    }),
    0,
  ),
  m: v.optional(SHARED_OPTIONS.m, DEFAULT_M),
  engine: v.optional(SHARED_OPTIONS.engine, DEFAULT_ENGINE),
  quantization: v.optional(SHARED_OPTIONS.quantization, 'f32'),
  memory: v.optional(SHARED_OPTIONS.memory),
  threads: v.optional(SHARED_OPTIONS.threads),
} as const

export const estimateOptionsSchema = v.strictObject(ESTIMATE_OPTIONS)

const { count, dimensions, metric, m } = ESTIMATE_OPTIONS

/** What `suggestQuantization` takes. */
export const SUGGEST_OPTIONS = {
  count,
  dimensions,
  memory: v.optional(
    option(SHARED_OPTIONS.openMemory, 'memory of the open index', {
      doc: "the `memory` that `openIndex` will be given: bytes, or text such as '512MB'",
    }),
  ),
  metric,
  m,
} as const

export const suggestOptionsSchema = v.strictObject(SUGGEST_OPTIONS)
