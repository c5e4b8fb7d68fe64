import { scaleLinear } from 'd3-scale'
import { area, line } from 'd3-shape'
import { formatByteSize } from '../../memory/byte-size.js'
import type { BuildReport, MemorySample } from '../../api/report.js'
import { drawing, innerBottom, PAGE_WIDTHS, roundTicks, valueAxis } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { tookText } from '../number-text.js'
import { endSeconds } from '../stage-spans.js'
import { stageMarks } from '../draw/stage-marks.js'
import { timeAxis } from '../draw/time-axis.js'

/** Why queues wrote to temporary files: a checkpoint is no sign that memory was short. */
export function spillReason({ spilledBytes, resumeBytes }: BuildReport): string {
  if (resumeBytes === undefined) {
    return 'They hold rows and ids from which an interrupted build goes on, and what queues have no room for in memory.'
  }
  if (resumeBytes >= spilledBytes) {
    return 'Nothing had to leave memory: they hold the rows and ids from which an interrupted build goes on.'
  }
  const needed = formatByteSize(spilledBytes - resumeBytes)
  const rest = resumeBytes > 0 ? ' The rest are rows and ids from which an interrupted build goes on.' : ''
  return `They hold ${needed} that the queues between stages had no room for in memory.${rest}`
}

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
    caption: `${summary} ${spillReason(report)}`,
    drawings: PAGE_WIDTHS.map((page) => {
      const time = timeAxis(page, report, { height: 190, top: 12, bottom: 26 })
      const { frame, x, axis } = time
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
        stageMarks(time, report),
        axis,
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
