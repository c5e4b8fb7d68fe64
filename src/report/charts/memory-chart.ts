import { scaleLinear } from 'd3-scale'
import { area, line } from 'd3-shape'
import { max } from 'd3-array'
import { formatByteSize } from '../../memory/byte-size.js'
import { PRESSURE_LEVELS, PRESSURE_SHARES } from '../../memory/pressure.js'
import type { BuildReport, MemorySample } from '../../api/report.js'
import { baseAxis, drawing, innerBottom, innerRight, PAGE_WIDTHS, roundTicks, valueAxis } from '../draw/drawing.js'
import type { Frame, PageWidth } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { plural, tookText } from '../number-text.js'
import { stageMarks } from '../draw/stage-marks.js'
import { endSeconds } from '../stage-spans.js'
import { timeTicks } from '../draw/time-ticks.js'

const HEIGHT = 280
const STRIP_HEIGHT = 10
/** Peaks below this share of the budget leave it out of the drawing, where the memory would be a line at the bottom. */
const LEAST_SHARE_SHOWN = 0.3

type X = (seconds: number) => number

/** Memory of the process over time, with the budget and its levels of pressure. */
export function memoryChart(report: BuildReport): Html | undefined {
  const { memory, memoryBytes, peakRssBytes } = report
  if (memory === undefined || memory.timeline.length === 0) return undefined
  const { timeline } = memory
  const hasGroup = timeline.some(({ cgroupBytes }) => cgroupBytes !== undefined)
  const summary = `The process used at most ${formatByteSize(peakRssBytes)}, ${percent(peakRssBytes / Math.max(1, memoryBytes))} of its budget of ${formatByteSize(memoryBytes)}.`
  const showsBudget = peakRssBytes >= LEAST_SHARE_SHOWN * memoryBytes
  return figure({
    id: 'memory',
    title: 'Memory against the budget',
    caption: html`${summary}
      ${pressureText(memory.pressure)}${showsBudget ? undefined : ' The budget is far above the range of the chart.'}
      <span class="key"><span class="swatch rss"></span>process</span>
      <span class="key"><span class="swatch queues"></span>queues (part of the process)</span
      >${hasGroup ? html` <span class="key"><span class="swatch group"></span>cgroup</span>` : undefined}`,
    drawings: PAGE_WIDTHS.map((page) => draw(page, report, timeline, showsBudget, summary)),
    data: {
      name: 'Memory over time',
      head: ['At', 'Stage', 'Process', 'Queues', ...(hasGroup ? ['Cgroup'] : []), 'Pressure'],
      rows: timeline.map((sample) => [
        tookText(sample.atSeconds),
        sample.stage,
        formatByteSize(sample.rssBytes),
        formatByteSize(sample.queueBytes),
        ...(hasGroup ? [sample.cgroupBytes === undefined ? '–' : formatByteSize(sample.cgroupBytes)] : []),
        sample.pressure,
      ]),
      text: [1, hasGroup ? 5 : 4],
    },
  })
}

function pressureText({
  elevated,
  high,
  critical,
  ingestPauses,
}: NonNullable<BuildReport['memory']>['pressure']): string {
  if (elevated + high + critical === 0) return 'Memory was never short.'
  const pauses = ingestPauses === 0 ? '' : `; reading paused ${plural(ingestPauses, 'time')}`
  return `Pressure rose to elevated ${plural(elevated, 'time')}, to high ${plural(high, 'time')}, to critical ${plural(critical, 'time')}${pauses}.`
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`
}

function draw(
  page: PageWidth,
  report: BuildReport,
  timeline: readonly MemorySample[],
  showsBudget: boolean,
  summary: string,
): Html {
  const { memoryBytes } = report
  const end = endSeconds(report)
  const frame: Frame = {
    width: page.width,
    height: HEIGHT,
    left: 62,
    right: 52,
    top: 26,
    bottom: 26 + STRIP_HEIGHT + 8,
  }
  const used = max(timeline, ({ rssBytes, cgroupBytes = 0 }) => Math.max(rssBytes, cgroupBytes)) ?? 0
  const most = Math.max(1, showsBudget ? Math.max(memoryBytes * 1.04, used) : used * 1.15)
  const x = scaleLinear([0, end], [frame.left, innerRight(frame)]).clamp(true)
  const y = scaleLinear([0, most], [innerBottom(frame), frame.top]).clamp(true)
  const below = area<MemorySample>()
    .x(({ atSeconds }) => x(atSeconds))
    .y0(y(0))
  const over = line<MemorySample>().x(({ atSeconds }) => x(atSeconds))
  const rss = (sample: MemorySample): number => y(sample.rssBytes)
  const group = timeline.filter(({ cgroupBytes }) => cgroupBytes !== undefined)
  const shape = (samples: readonly MemorySample[], path: string | null, name: string): Html | undefined =>
    samples.length === 0 ? undefined : html`<path class="${name}" d="${path ?? ''}" />`
  const marks =
    timeline.length > 1
      ? undefined
      : html`<circle class="rss-dot" cx="${x(timeline[0].atSeconds)}" cy="${rss(timeline[0])}" r="3.5" />`
  const axis = baseAxis(frame, x, timeTicks(end, page.name === 'narrow' ? 4 : 8))
  return drawing(page, frame, `Line of memory over time. ${summary}`, [
    valueAxis(frame, y, roundTicks(y, 4, formatByteSize)),
    stageMarks(frame, x, report),
    shape(timeline, below.y1(rss)([...timeline]), 'rss-area'),
    shape(timeline, below.y1((sample) => y(sample.queueBytes))([...timeline]), 'queue-area'),
    shape(timeline, over.y(rss)([...timeline]), 'rss-line'),
    shape(group, over.y(({ cgroupBytes = 0 }) => y(cgroupBytes))(group), 'group-line'),
    marks,
    showsBudget ? levelLines(frame, y, memoryBytes) : undefined,
    pressureStrip(frame, x, end, timeline),
    html`<g transform="translate(0 ${STRIP_HEIGHT + 8})">${axis}</g>`,
  ])
}

/** Height of a line of text. */
const LABEL_HEIGHT = 12

function levelLines(frame: Frame, y: (bytes: number) => number, budgetBytes: number): Html {
  const right = innerRight(frame)
  const shares = PRESSURE_LEVELS.filter((level) => level !== 'normal').map((level) => PRESSURE_SHARES[level])
  let taken = Number.NEGATIVE_INFINITY
  // From the top, each name at its line, or below the previous name when that is too close.
  const lines = [1, ...shares.sort((a, b) => b - a)].map((share) => {
    const at = y(share * budgetBytes)
    taken = Math.max(at, taken + LABEL_HEIGHT)
    const [line, name, text] = share === 1 ? ['budget', 'budget-name', 'budget'] : ['level', 'faint', percent(share)]
    return html`
      <line class="${line}" x1="${frame.left}" x2="${right}" y1="${at}" y2="${at}" />
      <text class="${name}" x="${right + 6}" y="${taken}" dy="0.32em">${text}</text>
    `
  })
  return html`<g>${lines}</g>`
}

/** Each level has its own height, so that it can be told without colour. */
const STRIP_SHARES: ReadonlyMap<string, number> = new Map([
  ['elevated', 0.4],
  ['high', 0.7],
  ['critical', 1],
])

/** Each level of pressure, from its first sample to the first one of another level. */
function pressureStrip(frame: Frame, x: X, end: number, timeline: readonly MemorySample[]): Html | undefined {
  const runs = timeline.filter(({ pressure }, i) => i === 0 || pressure !== timeline[i - 1].pressure)
  if (runs.every(({ pressure }) => !STRIP_SHARES.has(pressure))) return undefined
  const bottom = innerBottom(frame) + STRIP_HEIGHT + 5
  const pieces = runs.map(({ atSeconds, pressure }, i) => {
    const height = (STRIP_SHARES.get(pressure) ?? 0) * STRIP_HEIGHT
    const [from, to] = [x(atSeconds), x(runs[i + 1]?.atSeconds ?? end)]
    const width = Math.max(0.5, to - from)
    return height === 0
      ? undefined
      : html`<rect
          class="pressure-${pressure}"
          x="${from}"
          y="${bottom - height}"
          width="${width}"
          height="${height}"
        />`
  })
  return html`<g>
    ${pieces}
    <text class="faint" x="${frame.left - 8}" y="${bottom}" text-anchor="end">pressure</text>
  </g>`
}
