import { InvalidOptionError } from '../../errors.js'
import { checkOptions } from '../../options/check-options.js'
import { tuneOptionsSchema, type recallOptionsSchema } from '../../options/measure-options.js'
import type { RecallOptions, TuneOptions } from '../../api/measure.js'

const LEAST_EF = 16
const DEFAULT_POINTS = 6

export interface CheckedMeasure {
  readonly k: number
  readonly sample: number
  readonly seed: number
}

/** @throws InvalidOptionError */
export function checkMeasureOptions(
  options: RecallOptions | TuneOptions,
  schema: typeof recallOptionsSchema | typeof tuneOptionsSchema,
): CheckedMeasure {
  const { k, sample, seed } = checkOptions(schema, options)
  if (options.sample !== undefined && options.queries !== undefined) {
    throw new InvalidOptionError(
      'sample (--sample) takes queries from the index, queries (--queries) are your own; pass one of them',
    )
  }
  return { k, sample, seed }
}

/**
 * The widths to measure, ascending, without repeats, none below k, which a search would raise to k; by default none
 * above the count, from which all are alike.
 * @throws InvalidOptionError
 */
export function checkWidths(ef: RecallOptions['ef'], k: number, count: number): number[] {
  const widths = ef ?? defaultWidths(k, count)
  return [...new Set(widths.map((width) => Math.max(width, Math.min(k, count))))].sort((a, b) => a - b)
}

/** None is above the count, from which all are alike. */
export function defaultWidths(k: number, count: number): number[] {
  const first = Math.max(LEAST_EF, k)
  return Array.from({ length: DEFAULT_POINTS }, (_, i) => Math.min(first * 2 ** i, count))
}

/** @throws InvalidOptionError */
export function checkTarget(options: TuneOptions): { target: number; store: boolean } {
  const { recall, store } = checkOptions(tuneOptionsSchema, options)
  return { target: recall, store }
}
