import { MAX_TUNED_EF } from '../../format/generation/tuning.js'
import type { RecallPoint, TuneOptions, TuneResult } from '../../api/measure.js'
import { tuneOptionsSchema } from '../../options/measure-options.js'
import { checkMeasureOptions, checkTarget } from './check-measure-options.js'
import { measuredQueries } from './measured-queries.js'
import type { Pace } from './pace.js'
import { RecallMeter, type Measurable } from './recall-meter.js'

/** Precision of the choice, as a share of it: recall at closer widths differs by less than can be measured. */
const STEP_SHARE = 1 / 32

/**
 * The choice, not yet stored.
 * @throws InvalidOptionError, DimensionMismatchError, InvalidVectorError, CorruptIndexError, AbortedError
 */
export async function chooseEf(
  measured: Measurable,
  generation: string,
  options: TuneOptions,
  pace: Pace,
): Promise<Omit<TuneResult, 'stored'>> {
  const checked = checkMeasureOptions(options, tuneOptionsSchema)
  const { target } = checkTarget(options)
  const { k } = checked
  pace.check()
  const queries = measuredQueries(measured.core, options, checked)
  const meter = await RecallMeter.create(measured, queries, pace)
  const most = Math.min(measured.core.count, Math.max(k, MAX_TUNED_EF))
  const { chosen, points } = await smallestReaching((ef) => meter.at(ef), target, Math.min(k, most), most)
  return {
    k,
    targetRecall: target,
    ef: chosen.ef,
    recall: chosen.recall,
    queries: queries.queryCount,
    source: queries.source,
    tunedAt: new Date().toISOString(),
    reached: chosen.recall >= target,
    generation,
    points,
  }
}

export interface Choice {
  /**
   * The smallest ef tried that reached the target; when none did, the ef with the highest recall, the smallest of
   * equals.
   */
  readonly chosen: RecallPoint
  /** Every ef that was tried, ascending. */
  readonly points: readonly RecallPoint[]
}

/**
 * Doubles ef from `least` until the target is reached or `most` was tried, then halves the gap below the ef that
 * reached it. Only values above the largest that failed are tried, so no value below the choice has reached the target.
 */
export async function smallestReaching(
  measure: (ef: number) => Promise<RecallPoint>,
  target: number,
  least: number,
  most: number,
): Promise<Choice> {
  const points: RecallPoint[] = []
  const tried = async (ef: number): Promise<RecallPoint> => {
    const point = await measure(ef)
    points.push(point)
    return point
  }
  let failed = least - 1
  let point = await tried(least)
  while (point.recall < target && point.ef < most) {
    failed = point.ef
    point = await tried(Math.min(2 * point.ef, most))
  }
  let chosen = point.recall >= target ? point : points.reduce((a, b) => (b.recall > a.recall ? b : a))
  if (point.recall >= target) {
    while (chosen.ef - failed > Math.max(1, Math.floor(chosen.ef * STEP_SHARE))) {
      const between = await tried(Math.floor((failed + chosen.ef) / 2))
      if (between.recall >= target) chosen = between
      else failed = between.ef
    }
  }
  return { chosen, points: points.sort((a, b) => a.ef - b.ef) }
}
