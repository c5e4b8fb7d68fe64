import { scaleLinear } from 'd3-scale'
import type { BuildReport } from '../../api/report.js'
import { baseAxis, drawing, innerRight, PAGE_WIDTHS, type Frame } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { rateText, tookText } from '../number-text.js'
import { endSeconds, stageSpans, type StageSpan } from '../stage-spans.js'
import { widestText } from '../draw/text-width.js'
import { timeTicks } from '../draw/time-ticks.js'
import { formatByteSize } from '../../memory/byte-size.js'

const ROW_HEIGHT = 30
const BAR_HEIGHT = 14
/** Pixels between columns. */
const GAP = 12

/** The stages on a time axis, with their seconds and their vectors per second. */
export function stagesChart(report: BuildReport): Html {
  const spans = stageSpans(report)
  const end = endSeconds(report)
  const longest = spans.reduce<StageSpan | undefined>(
    (most, one) => (one.seconds > (most?.seconds ?? 0) ? one : most),
    undefined,
  )
  const caption =
    longest === undefined
      ? 'The report has no stages.'
      : `${tookText(report.seconds)} in total. The longest stage, ${longest.name}, took ${tookText(longest.seconds)}.`
  const columns = {
    seconds: widestText(spans.map(({ seconds }) => tookText(seconds))),
    rates: widestText(spans.map(({ vectorsPerSecond: rate }) => (rate === undefined ? '' : rateText(rate)))),
  }
  return figure({
    id: 'stages',
    title: 'Where the time went',
    caption: html`${caption}${spans.some(({ name }) => name === 'publish') ? undefined : ' The last stage, publish, ended after this report was written into the index.'}`,
    drawings: PAGE_WIDTHS.map((page) => {
      const isNarrow = page.name === 'narrow'
      const frame: Frame = {
        width: page.width,
        height: spans.length * ROW_HEIGHT + 26,
        left: isNarrow ? 86 : 96,
        right: columns.seconds + columns.rates + 2 * GAP,
        top: 0,
        bottom: 26,
      }
      const x = scaleLinear([0, end], [frame.left, innerRight(frame)]).clamp(true)
      const rows = spans.map((span, i) => row(frame, x, span, i, frame.width - columns.rates - GAP))
      const axis = baseAxis(frame, x, timeTicks(end, isNarrow ? 3 : 8))
      return drawing(page, frame, `Time axis of ${spans.length} stages. ${caption}`, [rows, axis])
    }),
    data: {
      name: 'Stages',
      head: ['Stage', 'Began at', 'Took', 'Share', 'Vectors per second', 'Peak memory'],
      rows: spans.map(({ name, fromSeconds, seconds, vectorsPerSecond, peakRssBytes }) => [
        name,
        tookText(fromSeconds),
        tookText(seconds),
        `${((100 * seconds) / end).toFixed(1)}%`,
        vectorsPerSecond === undefined ? '–' : rateText(vectorsPerSecond),
        formatByteSize(peakRssBytes),
      ]),
    },
  })
}

/** `secondsRight`: where the column of seconds ends; the column of rates ends with the drawing. */
function row(frame: Frame, x: (seconds: number) => number, span: StageSpan, i: number, secondsRight: number): Html {
  const middle = (i + 0.5) * ROW_HEIGHT
  const top = middle - BAR_HEIGHT / 2
  const from = x(span.fromSeconds)
  const width = Math.max(1.5, x(span.fromSeconds + span.seconds) - from)
  const { vectorsPerSecond: rate } = span
  const track = innerRight(frame) - frame.left
  return html`
    <rect class="track" x="${frame.left}" y="${top}" width="${track}" height="${BAR_HEIGHT}" />
    <rect class="bar" x="${from}" y="${top}" width="${width}" height="${BAR_HEIGHT}" />
    ${label('name', frame.left - 10, middle, span.name)} ${label('value', secondsRight, middle, tookText(span.seconds))}
    ${rate === undefined ? undefined : label('faint', frame.width, middle, rateText(rate))}
  `
}

function label(kind: string, right: number, middle: number, text: string): Html {
  return html`<text class="${kind}" x="${right}" y="${middle}" dy="0.32em" text-anchor="end">${text}</text>`
}
