import * as v from 'valibot'
import type { MeasureOptions, MeasureProgress } from '../api/measure.js'
import { MAX_UINT32 } from './limits.js'
import { callable, flag, integers, option, share } from './option-values.js'
import { DEFAULT_K, DEFAULT_SEED, SHARED_OPTIONS } from './shared-options.js'
import { isFloat32Array } from '../runtime/realms.js'

export const DEFAULT_SAMPLE = 500

/** Beam widths to measure. */
export const WIDTHS = option(integers(1, MAX_UINT32), 'beam widths, as 16,32,64', {
  value: 'LIST',
  fallback: 'six, each twice the one before, from max(16, k) on',
  doc: 'beam widths to measure',
})

/** What `recallCurve` and `tune` both take. */
export const MEASURE_OPTIONS = {
  k: v.optional(SHARED_OPTIONS.k, DEFAULT_K),
  sample: v.optional(SHARED_OPTIONS.sample, DEFAULT_SAMPLE),
  queries: v.optional(
    option(
      v.custom<NonNullable<MeasureOptions['queries']>>(
        (value) => Array.isArray(value) || isFloat32Array(value),
        'an array of vectors, or rows in one Float32Array',
      ),
      'the queries to measure with',
      {
        noFlag: true,
        fallback: 'a sample',
        type: 'readonly VectorLike[] | Float32Array',
        doc: 'queries to measure with in place of a sample: vectors, or row-major rows in one Float32Array',
      },
    ),
  ),
  seed: v.optional(
    option(SHARED_OPTIONS.seed, 'decides what is sampled', { doc: 'decides what is sampled; unsigned 32-bit integer' }),
    DEFAULT_SEED,
  ),
  signal: v.optional(SHARED_OPTIONS.signal),
  onProgress: v.optional(
    option(callable<(progress: MeasureProgress) => void>('a function'), 'called as the work goes on', {
      noFlag: true,
      fallback: 'none',
      type: '(progress: MeasureProgress) => void',
      doc: 'called about ten times a second at most',
    }),
  ),
} as const

/** What `recallCurve` takes besides. */
export const RECALL_OPTIONS = { ef: v.optional(WIDTHS), rerank: v.optional(SHARED_OPTIONS.rerank) } as const

/** What `tune` takes besides. */
export const TUNE_OPTIONS = {
  recall: option(share(), 'the recall@k to reach', { doc: 'the recall@k to reach, above 0 and up to 1' }),
  store: v.optional(
    option(flag(), 'store the choice', {
      doc: 'keep the choice with the index: searches without `ef` then use it',
    }),
    true,
  ),
} as const

export const measureOptionsSchema = v.strictObject(MEASURE_OPTIONS)
export const recallOptionsSchema = v.strictObject({ ...MEASURE_OPTIONS, ...RECALL_OPTIONS })
export const tuneOptionsSchema = v.strictObject({ ...MEASURE_OPTIONS, ...TUNE_OPTIONS })
