/** What all charts share: sizes, axes, a drawing for each width of page. */
import type { ScaleContinuousNumeric } from 'd3-scale'
import { html, type Content, type Html } from './html.js'
import { textWidth } from './text-width.js'

/** Sizes in pixels of the drawing. The page shows the drawing for its width, at about its size. */
export interface Frame {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface PageWidth {
  /** Class of the drawing; the style sheet shows one drawing of each chart. */
  readonly name: 'narrow' | 'middle' | 'wide' | 'half'
  readonly width: number
}

/** A chart as wide as the page is drawn three times, so that its text is readable at every width. */
export const PAGE_WIDTHS: readonly PageWidth[] = [
  { name: 'narrow', width: 350 },
  { name: 'middle', width: 600 },
  { name: 'wide', width: 960 },
]
/** A chart of half the page's width, or the full width of a narrow page. */
export const HALF_WIDTHS: readonly PageWidth[] = [
  { name: 'narrow', width: 350 },
  { name: 'half', width: 440 },
]

export function drawing({ name }: PageWidth, { width, height }: Frame, label: string, content: Content): Html {
  return html`<svg class="at-${name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    ${content}
  </svg> `
}

export function innerRight({ width, right }: Frame): number {
  return width - right
}

export function innerBottom({ height, bottom }: Frame): number {
  return height - bottom
}

export interface Tick {
  readonly value: number
  readonly text: string
}

type Scale = ScaleContinuousNumeric<number, number>

/** Horizontal lines with their values on the left. */
export function valueAxis(frame: Frame, scale: Scale, ticks: readonly Tick[]): Html {
  const right = innerRight(frame)
  const lines = ticks.map(({ value, text }) => {
    const y = scale(value)
    return html`
      <line class="grid" x1="${frame.left}" x2="${right}" y1="${y}" y2="${y}" />
      <text x="${frame.left - 8}" y="${y}" dy="0.32em" text-anchor="end">${text}</text>
    `
  })
  return html`<g class="axis">${lines}</g>`
}

/**
 * Marks and values below a chart. The outer values stay inside the drawing; a value that would overlap the one before
 * is left out.
 */
export function baseAxis(frame: Frame, scale: Scale, ticks: readonly Tick[]): Html {
  const bottom = innerBottom(frame)
  let taken = Number.NEGATIVE_INFINITY
  const marks = ticks.map(({ value, text }) => {
    const x = scale(value)
    const width = textWidth(text)
    const left = Math.min(Math.max(0, x - width / 2), frame.width - width)
    const hasRoom = left >= taken
    if (hasRoom) taken = left + width + 4
    return html`
      <line class="base" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" />
      ${hasRoom ? html`<text x="${left + width / 2}" y="${bottom + 17}" text-anchor="middle">${text}</text>` : undefined}
    `
  })
  return html`<g class="axis">
    <line class="base" x1="${frame.left}" x2="${innerRight(frame)}" y1="${bottom}" y2="${bottom}" />
    ${marks}
  </g>`
}

/** The title of an axis, below its values on the right. */
export function baseTitle(frame: Frame, title: string): Html {
  const [x, y] = [innerRight(frame), innerBottom(frame) + 34]
  return html`<text class="axis-title" x="${x}" y="${y}" text-anchor="end">${title}</text>`
}

/** About `count` round values from 0 up to `most`. */
export function roundTicks(scale: Scale, count: number, textOf: (value: number) => string): Tick[] {
  return scale.ticks(count).map((value) => ({ value, text: textOf(value) }))
}
