import type { BuildReport } from '../../api/report.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { drawing, innerRight, PAGE_WIDTHS, type Frame, type PageWidth } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { stageMarks } from '../draw/stage-marks.js'
import { COLUMN_GAP, stageColumns, timeAxis, type TimeAxis } from '../draw/time-axis.js'
import { rateText, tookText } from '../number-text.js'
import { endSeconds, stageSpans, type StageSpan } from '../stage-spans.js'

/** Beside its name a bar has a row of its own height; below it, also the height of a line of text. */
const ROW_HEIGHT = { beside: 30, below: 42 }
const BAR_HEIGHT = 14

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
  return figure({
    id: 'stages',
    title: 'Where the time went',
    caption: html`${caption}${spans.some(({ name }) => name === 'publish') ? undefined : ' The last stage, publish, ended after this report was written into the index.'}`,
    drawings: PAGE_WIDTHS.map((page) => draw(page, report, spans, caption)),
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

function draw(page: PageWidth, report: BuildReport, spans: readonly StageSpan[], caption: string): Html {
  const isWide = page.name === 'wide'
  const rowHeight = isWide ? ROW_HEIGHT.beside : ROW_HEIGHT.below
  const time = timeAxis(page, report, { height: spans.length * rowHeight + 26, top: 0, bottom: 26 })
  const { frame } = time
  const secondsRight = frame.width - stageColumns(report).rates - COLUMN_GAP
  const rows = spans.map((span, i) => {
    const middle = isWide ? (i + 0.5) * rowHeight : (i + 1) * rowHeight - BAR_HEIGHT / 2 - 5
    const labels = isWide
      ? labelsBeside(span, middle, frame, secondsRight)
      : labelsAbove(span, middle - 18, page, frame)
    return { bar: bar(time, span, middle), labels }
  })
  return drawing(page, frame, `Time axis of ${spans.length} stages. ${caption}`, [
    rows.map((row) => row.bar),
    stageMarks(time, report),
    rows.map((row) => row.labels),
    time.axis,
  ])
}

function bar({ frame, x }: TimeAxis, { fromSeconds, seconds }: StageSpan, middle: number): Html {
  const top = middle - BAR_HEIGHT / 2
  const from = x(fromSeconds)
  const width = Math.max(1.5, x(fromSeconds + seconds) - from)
  const track = innerRight(frame) - frame.left
  return html`
    <rect class="track" x="${frame.left}" y="${top}" width="${track}" height="${BAR_HEIGHT}" />
    <rect class="bar" x="${from}" y="${top}" width="${width}" height="${BAR_HEIGHT}" />
  `
}

/** `secondsRight`: where the column of seconds ends; the column of rates ends with the drawing. */
function labelsBeside(span: StageSpan, middle: number, frame: Frame, secondsRight: number): Html {
  const { name, seconds, vectorsPerSecond: rate } = span
  return html`
    ${label('name', frame.left - 10, middle, name)} ${label('value', secondsRight, middle, tookText(seconds))}
    ${rate === undefined ? undefined : label('faint', frame.width, middle, rateText(rate))}
  `
}

/** Where the page is not wide, names and numbers do not take the width of the bars. The narrowest has no room for rates. */
function labelsAbove(span: StageSpan, middle: number, page: PageWidth, frame: Frame): Html {
  const { name, seconds, vectorsPerSecond: rate } = span
  const right = innerRight(frame)
  const hasRate = page.name !== 'narrow' && rate !== undefined
  return html`
    <text class="name haloed" x="${frame.left}" y="${middle}" dy="0.32em">${name}</text>
    ${hasRate ? label('faint haloed', right - 90, middle, rateText(rate)) : undefined}
    ${label('value haloed', right, middle, tookText(seconds))}
  `
}

function label(kind: string, right: number, middle: number, text: string): Html {
  return html`<text class="${kind}" x="${right}" y="${middle}" dy="0.32em" text-anchor="end">${text}</text>`
}
