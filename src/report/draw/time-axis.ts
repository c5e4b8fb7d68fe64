import { scaleLinear } from 'd3-scale'
import type { BuildReport } from '../../api/report.js'
import { rateText, tookText } from '../number-text.js'
import { endSeconds, stageSpans } from '../stage-spans.js'
import { baseAxis, innerRight, type Frame, type PageWidth } from './drawing.js'
import type { Html } from './html.js'
import { widestText } from './text-width.js'
import { timeTicks } from './time-ticks.js'

/** Pixels between columns. */
export const COLUMN_GAP = 12
/** Room for the names of stages on a wide page, and for values of an axis on others. */
const LEFT = { wide: 96, others: 62 }
/** Room for the names of lines. */
const LEAST_RIGHT = 56

export interface TimeAxis {
  readonly frame: Frame
  readonly x: (seconds: number) => number
  /** Its line and its times, at the bottom of the frame. */
  readonly axis: Html
}

/** The time of a build. All charts over time have it, with the same edges, so that a moment has one place on the page. */
export function timeAxis(
  page: PageWidth,
  report: BuildReport,
  { height, top, bottom }: Pick<Frame, 'height' | 'top' | 'bottom'>,
): TimeAxis {
  const { seconds, rates } = stageColumns(report)
  const isWide = page.name === 'wide'
  const frame: Frame = {
    width: page.width,
    height,
    left: isWide ? LEFT.wide : LEFT.others,
    right: isWide ? Math.max(LEAST_RIGHT, seconds + rates + 2 * COLUMN_GAP) : LEAST_RIGHT,
    top,
    bottom,
  }
  const end = endSeconds(report)
  const x = scaleLinear([0, end], [frame.left, innerRight(frame)]).clamp(true)
  return { frame, x, axis: baseAxis(frame, x, timeTicks(end, page.name === 'narrow' ? 4 : 8)) }
}

/** Widths of what stands to the right of the stages on a wide page. */
export function stageColumns(report: BuildReport): { readonly seconds: number; readonly rates: number } {
  const spans = stageSpans(report)
  return {
    seconds: widestText(spans.map(({ seconds }) => tookText(seconds))),
    rates: widestText(spans.map(({ vectorsPerSecond: rate }) => (rate === undefined ? '' : rateText(rate)))),
  }
}
