import { scaleLinear } from 'd3-scale'
import type { Manifest } from '../../format/generation/manifest.js'
import { baseAxis, drawing, innerRight, PAGE_WIDTHS, type Frame, type PageWidth } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { tookText } from '../number-text.js'
import { widestText } from '../draw/text-width.js'
import { timeTicks } from '../draw/time-ticks.js'

const ROW_HEIGHT = 40
const BAR_HEIGHT = 11

/** Two bars with a common start for each stage that both reports have. */
export function stagePairsChart(
  now: Manifest,
  before: Manifest,
  names: { readonly now: string; readonly before: string },
): Html {
  const stages = [...new Set<string>([...now.report.stages, ...before.report.stages].map(({ name }) => name))]
  const pairs = stages.map((stage) => ({ stage, now: secondsOf(now, stage), before: secondsOf(before, stage) }))
  const drawn = pairs.filter((pair): pair is Pair => pair.now !== undefined && pair.before !== undefined)
  const text = (value: number | undefined): string => (value === undefined ? '–' : tookText(value))
  return figure({
    id: 'stage-pairs',
    title: 'Stages of both builds',
    caption: html`<span class="key"><span class="swatch now"></span>${names.now}</span>
      <span class="key"><span class="swatch before"></span>${names.before}</span>`,
    drawings: PAGE_WIDTHS.map((page) => draw(page, drawn)),
    data: {
      name: 'Stages of both builds',
      head: ['Stage', names.now, names.before],
      rows: pairs.map((pair) => [pair.stage, text(pair.now), text(pair.before)]),
    },
  })
}

interface Pair {
  readonly stage: string
  readonly now: number
  readonly before: number
}

function secondsOf({ report }: Manifest, stage: string): number | undefined {
  const seconds = report.stages.find(({ name }) => name === stage)?.seconds
  return seconds === undefined ? undefined : Math.max(0, seconds)
}

function draw(page: PageWidth, pairs: readonly Pair[]): Html {
  const isNarrow = page.name === 'narrow'
  const height = pairs.length * ROW_HEIGHT + 26
  const right = 8 + widestText(pairs.flatMap((pair) => [tookText(pair.now), tookText(pair.before)]))
  const frame: Frame = { width: page.width, height, left: isNarrow ? 86 : 96, right, top: 0, bottom: 26 }
  const most = pairs.reduce((longest, pair) => Math.max(longest, pair.now, pair.before), 0.001)
  const x = scaleLinear([0, most], [frame.left, innerRight(frame)]).clamp(true)
  const bar = (seconds: number, top: number, [kind, textKind]: readonly [string, string]): Html => {
    const width = Math.max(1.5, x(seconds) - frame.left)
    return html`
      <rect class="${kind}" x="${frame.left}" y="${top}" width="${width}" height="${BAR_HEIGHT}" />
      <text class="${textKind}" x="${frame.left + width + 7}" y="${top + BAR_HEIGHT / 2}" dy="0.32em"
        >${tookText(seconds)}</text
      >
    `
  }
  const rows = pairs.map((pair, i) => {
    const middle = (i + 0.5) * ROW_HEIGHT
    return html`
      <text class="name" x="${frame.left - 10}" y="${middle}" dy="0.32em" text-anchor="end">${pair.stage}</text>
      ${bar(pair.now, middle - BAR_HEIGHT - 1.5, ['bar', 'value'])}
      ${bar(pair.before, middle + 1.5, ['bar-before', 'faint'])}
    `
  })
  return drawing(page, frame, 'Bars of the seconds of each stage in both builds.', [
    rows,
    baseAxis(frame, x, timeTicks(most, isNarrow ? 3 : 8)),
  ])
}
