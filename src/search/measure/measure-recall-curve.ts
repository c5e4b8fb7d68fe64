import type { RecallCurve, RecallOptions, RecallPoint } from '../../api/measure.js'
import { recallOptionsSchema } from '../../options/measure-options.js'
import { checkMeasureOptions, checkWidths } from './check-measure-options.js'
import { measuredQueries } from './measured-queries.js'
import type { Pace } from './pace.js'
import { RecallMeter, type Measurable } from './recall-meter.js'

/** @throws InvalidOptionError, DimensionMismatchError, InvalidVectorError, CorruptIndexError, AbortedError */
export async function measureRecallCurve(
  measured: Measurable,
  generation: string,
  options: RecallOptions,
  pace: Pace,
): Promise<RecallCurve> {
  const checked = checkMeasureOptions(options, recallOptionsSchema)
  const { k } = checked
  const widths = checkWidths(options.ef, k, measured.core.count)
  pace.check()
  const queries = measuredQueries(measured.core, options, checked)
  const meter = await RecallMeter.create(measured, queries, pace)
  const points: RecallPoint[] = []
  for (const ef of widths) points.push(await meter.at(ef, options.rerank))
  return { generation, k, queries: queries.queryCount, source: queries.source, points }
}
