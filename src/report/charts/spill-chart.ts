import { scaleLinear } from 'd3-scale'
import { area, line } from 'd3-shape'
import { formatByteSize } from '../../memory/byte-size.js'
import type { BuildReport, MemorySample } from '../../api/report.js'
import {
  baseAxis,
  drawing,
  innerBottom,
  innerRight,
  PAGE_WIDTHS,
  roundTicks,
  valueAxis,
  type Frame,
} from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { tookText } from '../number-text.js'
import { endSeconds } from '../stage-spans.js'
import { timeTicks } from '../draw/time-ticks.js'

/**
 * Bytes that queues wrote to temporary files over time; undefined when they wrote none, or the report has no samples.
 */
export function spillChart(report: BuildReport): Html | undefined {
  const timeline = report.memory?.timeline ?? []
  if (report.spilledBytes <= 0 || timeline.length === 0) return undefined
  const end = endSeconds(report)
  const summary = `${formatByteSize(report.spilledBytes)} went through temporary files.`
  return figure({
    id: 'spill',
    title: 'Written to temporary files',
    caption: `${summary} They hold what the queues between stages have no room for in memory.`,
    drawings: PAGE_WIDTHS.map((page) => {
      const frame: Frame = { width: page.width, height: 190, left: 62, right: 52, top: 12, bottom: 26 }
      const x = scaleLinear([0, end], [frame.left, innerRight(frame)]).clamp(true)
      const y = scaleLinear([0, report.spilledBytes], [innerBottom(frame), frame.top])
        .clamp(true)
        .nice(4)
      // The last sample may be older than the last bytes.
      const samples = [...timeline, { atSeconds: end, spilledBytes: report.spilledBytes }]
      const at = (sample: Pick<MemorySample, 'atSeconds'>): number => x(sample.atSeconds)
      const height = (sample: Pick<MemorySample, 'spilledBytes'>): number => y(sample.spilledBytes)
      type Spilled = Pick<MemorySample, 'atSeconds' | 'spilledBytes'>
      const below = area<Spilled>().x(at).y0(y(0)).y1(height)(samples)
      const over = line<Spilled>().x(at).y(height)(samples)
      return drawing(page, frame, `Line of bytes spilled over time. ${summary}`, [
        valueAxis(frame, y, roundTicks(y, 3, formatByteSize)),
        html`<path class="spill-area" d="${below ?? ''}" /> <path class="spill-line" d="${over ?? ''}" />`,
        baseAxis(frame, x, timeTicks(end, page.name === 'narrow' ? 4 : 8)),
      ])
    }),
    data: {
      name: 'Bytes spilled over time',
      head: ['At', 'Stage', 'Spilled so far', 'In queues in memory'],
      rows: timeline.map(({ atSeconds, stage, spilledBytes, queueBytes }) => [
        tookText(atSeconds),
        stage,
        formatByteSize(spilledBytes),
        formatByteSize(queueBytes),
      ]),
      text: [1],
    },
  })
}
