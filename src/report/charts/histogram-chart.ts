import { max, sum } from 'd3-array'
import { scaleLinear } from 'd3-scale'
import type { Histogram } from '../../api/report.js'
import {
  baseAxis,
  baseTitle,
  drawing,
  HALF_WIDTHS,
  innerBottom,
  innerRight,
  roundTicks,
  valueAxis,
  type Frame,
  type PageWidth,
} from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Content, type Html } from '../draw/html.js'
import { countText } from '../number-text.js'
import { shortNumber } from '../draw/short-number.js'

/** The axis has room for at least so many buckets: a few that fill it look like one block. */
const LEAST_BUCKETS = 12

export interface HistogramShape {
  readonly id: string
  readonly title: string
  readonly caption: Content
  /** What a value is: the title of the axis and of the first column. */
  readonly what: string
  /** What is counted, in the plural. */
  readonly counted: string
}

export function histogramChart(histogram: Histogram, { id, title, caption, what, counted }: HistogramShape): Html {
  const { from, width, counts, least, most } = histogram
  const total = sum(counts)
  const label = `Histogram of ${what}: from ${countText(least)} to ${countText(most)}.`
  return figure({
    id,
    title,
    caption,
    drawings: HALF_WIDTHS.map((page) => draw(page, histogram, label, what)),
    data: {
      name: title,
      head: [sentence(what), sentence(counted), 'Share'],
      rows: counts.map((count, i) => [
        rangeText(from + i * width, width),
        countText(count),
        `${total === 0 ? '0.0' : ((100 * count) / total).toFixed(1)}%`,
      ]),
    },
  })
}

function draw(page: PageWidth, { from, width, counts }: Histogram, label: string, what: string): Html {
  const frame: Frame = { width: page.width, height: 240, left: 56, right: 8, top: 12, bottom: 42 }
  const spare = Math.max(0, LEAST_BUCKETS - counts.length)
  const start = Math.max(0, from - Math.floor(spare / 2) * width)
  const end = Math.max(from + width * counts.length, start + LEAST_BUCKETS * width)
  const x = scaleLinear([start, end], [frame.left, innerRight(frame)]).clamp(true)
  const y = scaleLinear([0, Math.max(1, max(counts) ?? 0)], [innerBottom(frame), frame.top])
    .clamp(true)
    .nice(4)
  // A bucket of one number has its tick below the middle of its bar.
  const shift = width === 1 ? 0.5 : 0
  const ticks = x
    .ticks(6)
    .filter((value) => Number.isInteger(value) && value + shift <= end)
    .map((value) => ({ value: value + shift, text: axisText(value) }))
  const gap = x(from + width) - x(from) > 4 ? 1 : 0.2
  const bars = counts.map((count, i) => {
    const left = x(from + i * width) + gap / 2
    const wide = Math.max(0.5, x(from + (i + 1) * width) - gap / 2 - left)
    return html`<rect class="bar" x="${left}" y="${y(count)}" width="${wide}" height="${y(0) - y(count)}" />`
  })
  return drawing(page, frame, label, [
    valueAxis(
      frame,
      y,
      roundTicks(y, 4, axisText).filter(({ value }) => Number.isInteger(value)),
    ),
    html`<g>${bars}</g>`,
    baseAxis(frame, x, ticks),
    baseTitle(frame, what),
  ])
}

/** All digits while an axis has room for them. */
function axisText(count: number): string {
  return count < 100_000 ? countText(count) : shortNumber(count)
}

function rangeText(from: number, width: number): string {
  return width === 1 ? countText(from) : `${countText(from)} to ${countText(from + width - 1)}`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
