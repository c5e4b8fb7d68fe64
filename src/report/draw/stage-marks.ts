import type { BuildReport } from '../../api/report.js'
import { stageSpans } from '../stage-spans.js'
import { innerBottom } from './drawing.js'
import { html, type Html } from './html.js'
import type { TimeAxis } from './time-axis.js'

/** The starts of stages, as lines through a chart over time. The chart of the stages is the one place that names them. */
export function stageMarks({ frame, x }: TimeAxis, report: BuildReport): Html {
  const marks = stageSpans(report).map(({ fromSeconds }) => {
    const at = x(fromSeconds)
    return html`<line x1="${at}" x2="${at}" y1="${frame.top}" y2="${innerBottom(frame)}" />`
  })
  return html`<g class="stage-marks">${marks}</g>`
}
