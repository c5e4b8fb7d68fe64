import { InvalidOptionError } from '../../errors.js'
import type { MeasureOptions, RecallOptions, TuneOptions } from '../../api/measure.js'

const DEFAULT_K = 10
export const DEFAULT_SAMPLE = 500
const DEFAULT_SEED = 1
const MAX_INTEGER = 2 ** 32 - 1
const LEAST_EF = 16
const DEFAULT_POINTS = 6

export interface CheckedMeasure {
  readonly k: number
  readonly sample: number
  readonly seed: number
}

/** @throws InvalidOptionError */
export function checkMeasureOptions(options: MeasureOptions): CheckedMeasure {
  if (options.sample !== undefined && options.queries !== undefined) {
    throw new InvalidOptionError(
      'sample (--sample) takes queries from the index, queries (--queries) are your own; pass one of them',
    )
  }
  const { k = DEFAULT_K, sample = DEFAULT_SAMPLE, seed = DEFAULT_SEED } = options
  checkInteger('k', k, 1)
  checkInteger('sample', sample, 1)
  checkInteger('seed', seed, 0)
  return { k, sample, seed }
}

/**
 * The widths to measure, ascending, without repeats; by default none above the count, from which all are alike.
 * @throws InvalidOptionError
 */
export function checkWidths(ef: RecallOptions['ef'], k: number, count: number): number[] {
  const first = Math.max(LEAST_EF, k)
  const widths = ef ?? Array.from({ length: DEFAULT_POINTS }, (_, i) => Math.min(first * 2 ** i, count))
  if (!Array.isArray(widths) || widths.length === 0) {
    throw new InvalidOptionError(`ef must be a list of integers, got ${JSON.stringify(widths)}`)
  }
  for (const width of widths as readonly unknown[]) checkInteger('ef', width, 1)
  return [...new Set(widths as readonly number[])].sort((a, b) => a - b)
}

/** @throws InvalidOptionError */
export function checkTarget({ recall, store = true }: TuneOptions): { target: number; store: boolean } {
  if (typeof recall !== 'number' || !(recall > 0 && recall <= 1)) {
    throw new InvalidOptionError(`recall must be a number above 0 and up to 1, got ${String(recall)}`)
  }
  if (typeof store !== 'boolean') throw new InvalidOptionError(`store must be true or false, got ${String(store)}`)
  return { target: recall, store }
}

/** @throws InvalidOptionError */
export function checkInteger(name: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > MAX_INTEGER) {
    throw new InvalidOptionError(
      `${name} must be an integer from ${least} to ${MAX_INTEGER}, got ${String(value)} (${typeof value})`,
    )
  }
}
