import { scaleLinear, scaleLog } from 'd3-scale'
import { drawing, HALF_WIDTHS, type Frame } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Content, type Html } from '../draw/html.js'
import type { TableShape } from '../draw/table.js'
import { widestText } from '../draw/text-width.js'

export interface Bar {
  readonly name: string
  readonly value: number
  readonly text: string
}

export interface BarsShape {
  readonly id: string
  readonly title: string
  readonly caption: Content
  readonly label: string
  readonly bars: readonly Bar[]
  /** For values that differ by factors of thousands. */
  readonly logarithmic?: boolean
  readonly data: TableShape
}

const ROW_HEIGHT = 30
const BAR_HEIGHT = 14

/** Horizontal bars, each with its name on the left and its value on the right. */
export function barsChart({ label, bars, logarithmic = false, ...shape }: BarsShape): Html {
  const nameWidth = 10 + widestText(bars.map(({ name }) => name))
  const valueWidth = 8 + widestText(bars.map(({ text }) => text))
  const most = bars.reduce((largest, { value }) => Math.max(largest, value), 1)
  return figure({
    ...shape,
    drawings: HALF_WIDTHS.map((page) => {
      const height = bars.length * ROW_HEIGHT
      const frame: Frame = { width: page.width, height, left: nameWidth, right: valueWidth, top: 0, bottom: 0 }
      const range = [0, page.width - nameWidth - valueWidth]
      // From a half, so that a bar of one is visible.
      const length = logarithmic
        ? scaleLog([0.5, Math.max(2, most)], range).clamp(true)
        : scaleLinear([0, most], range).clamp(true)
      return drawing(
        page,
        frame,
        label,
        bars.map((bar, i) => row(bar, (i + 0.5) * ROW_HEIGHT, nameWidth, length)),
      )
    }),
  })
}

function row({ name, value, text }: Bar, middle: number, left: number, lengthOf: (value: number) => number): Html {
  const length = value > 0 ? Math.max(1.5, lengthOf(value)) : 0
  const top = middle - BAR_HEIGHT / 2
  return html`
    <text class="name" x="${left - 10}" y="${middle}" dy="0.32em" text-anchor="end">${name}</text>
    <rect class="bar" x="${left}" y="${top}" width="${length}" height="${BAR_HEIGHT}" />
    <text class="value" x="${left + length + 8}" y="${middle}" dy="0.32em">${text}</text>
  `
}
