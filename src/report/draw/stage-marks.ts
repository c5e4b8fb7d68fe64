import type { BuildReport } from '../../api/report.js'
import { innerBottom, type Frame } from './drawing.js'
import { html, type Html } from './html.js'
import { stageSpans } from '../stage-spans.js'
import { textWidth } from './text-width.js'

/** The starts of stages, as lines through a chart over time, with names above where there is room. */
export function stageMarks(frame: Frame, x: (seconds: number) => number, report: BuildReport): Html {
  const marks = stageSpans(report).map(({ name, fromSeconds, seconds }) => {
    const [from, to] = [x(fromSeconds), x(fromSeconds + seconds)]
    const hasRoom = to - from > textWidth(name) + 4
    return html`
      <line x1="${from}" x2="${from}" y1="${frame.top - 18}" y2="${innerBottom(frame)}" />
      ${hasRoom ? html`<text x="${from + 4}" y="${frame.top - 9}">${name}</text>` : undefined}
    `
  })
  return html`<g class="stage-marks">${marks}</g>`
}
