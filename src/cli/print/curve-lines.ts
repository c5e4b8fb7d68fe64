import type { RecallCurve, TuneResult } from '../../api/measure.js'
import { countText } from '../../report/number-text.js'
import { intervalText } from '../../report/verdict.js'
import { tableLines } from './table-lines.js'
import { tuningText } from './tuning-text.js'

interface CurveSettings {
  readonly path: string
  /** Without the advice to measure with new queries. */
  readonly quiet: boolean
}

export function curveLines(measured: RecallCurve | TuneResult, { path, quiet }: CurveSettings): string[] {
  const { generation, k, queries, source, points } = measured
  const rows = points.map(({ ef, recall, interval, queriesPerSecond, p50Ms }) => [
    String(ef),
    recall.toFixed(4),
    intervalText(interval),
    countText(queriesPerSecond),
    `${p50Ms.toFixed(3)} ms`,
  ])
  const sampled = source === 'sampled'
  const kind = sampled ? 'vectors of the index, each left out of its own neighbours' : 'given queries'
  return [
    ...tableLines([
      ['index', `${path} (${generation})`],
      ['queries', `${countText(queries)} ${kind}; one thread`],
    ]),
    '',
    ...tableLines([['ef', `recall@${k}`, '95% interval', 'queries/s', 'p50'], ...rows], [0, 1, 2, 3, 4]),
    '',
    ...('reached' in measured && measured.reached
      ? [`chosen: ${tuningText(measured)}${measured.stored ? ', stored with the index' : ', not stored'}`]
      : []),
    ...(sampled && !quiet
      ? ['Vectors of the index are easier to find than new queries: measure with your own by --queries FILE.']
      : []),
  ]
}
