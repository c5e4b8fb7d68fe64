import { scaleLinear } from 'd3-scale'
import { area, line } from 'd3-shape'
import { max } from 'd3-array'
import { formatByteSize } from '../../memory/byte-size.js'
import { PRESSURE_LEVELS, PRESSURE_SHARES } from '../../memory/pressure-level.js'
import type { BuildReport, MemorySample } from '../../api/report.js'
import { drawing, innerBottom, innerRight, PAGE_WIDTHS, roundTicks, valueAxis } from '../draw/drawing.js'
import type { Frame, PageWidth } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { plural, tookText } from '../number-text.js'
import { stageMarks } from '../draw/stage-marks.js'
import { endSeconds } from '../stage-spans.js'
import { timeAxis, type TimeAxis } from '../draw/time-axis.js'

const HEIGHT = 280
const STRIP_HEIGHT = 10
/** Peaks below this share of the budget break the axis below it: the memory would be a line at the bottom. */
const LEAST_SHARE_TO_SCALE = 0.3
/** From the line of a budget beyond the break down to the highest value of the scale. */
const BREAK_HEIGHT = 34

/** Memory of the process over time, with the budget and its levels of pressure. */
export function memoryChart(report: BuildReport): Html | undefined {
  const { memory, memoryBytes, peakRssBytes } = report
  if (memory === undefined || memory.timeline.length === 0) return undefined
  const { timeline } = memory
  const hasGroup = timeline.some(({ cgroupBytes }) => cgroupBytes !== undefined)
  const summary = `The process used at most ${formatByteSize(peakRssBytes)}, ${percent(peakRssBytes / Math.max(1, memoryBytes))} of its budget of ${formatByteSize(memoryBytes)}.`
  const isBroken = peakRssBytes < LEAST_SHARE_TO_SCALE * memoryBytes
  return figure({
    id: 'memory',
    title: 'Memory against the budget',
    caption: html`${summary}
      ${pressureText(memory.pressure)}${isBroken ? ' The axis is broken below the budget.' : undefined}
      <span class="keys">
        <span class="key"><span class="swatch rss"></span>process</span>
        <span class="key"><span class="swatch queues"></span>queues (part of the process)</span>
        ${hasGroup ? html`<span class="key"><span class="swatch group"></span>cgroup</span>` : undefined}
      </span>`,
    drawings: PAGE_WIDTHS.map((page) => draw(page, report, timeline, isBroken, summary)),
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
  isBroken: boolean,
  summary: string,
): Html {
  const { memoryBytes } = report
  const time = timeAxis(page, report, { height: HEIGHT, top: 12, bottom: 26 + STRIP_HEIGHT + 8 })
  const { frame, x } = time
  const used = max(timeline, ({ rssBytes, cgroupBytes = 0 }) => Math.max(rssBytes, cgroupBytes)) ?? 0
  const most = Math.max(1, isBroken ? used * 1.05 : Math.max(memoryBytes * 1.04, used))
  const top = frame.top + (isBroken ? BREAK_HEIGHT : 0)
  const y = scaleLinear([0, most], [innerBottom(frame), top]).clamp(true)
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
  return drawing(page, frame, `Line of memory over time. ${summary}`, [
    valueAxis(frame, y, roundTicks(y, 4, formatByteSize)),
    stageMarks(time, report),
    shape(timeline, below.y1(rss)([...timeline]), 'rss-area'),
    shape(timeline, below.y1((sample) => y(sample.queueBytes))([...timeline]), 'queue-area'),
    shape(timeline, over.y(rss)([...timeline]), 'rss-line'),
    shape(group, over.y(({ cgroupBytes = 0 }) => y(cgroupBytes))(group), 'group-line'),
    marks,
    isBroken ? brokenBudget(frame, memoryBytes) : levelLines(frame, y, memoryBytes),
    pressureStrip(time, endSeconds(report), timeline),
    html`<g transform="translate(0 ${STRIP_HEIGHT + 8})">${time.axis}</g>`,
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

/** The budget above two strokes across the axis, which say that the scale ends below them. */
function brokenBudget(frame: Frame, budgetBytes: number): Html {
  const [left, right, at, cut] = [frame.left, innerRight(frame), frame.top, frame.top + BREAK_HEIGHT / 2]
  const stroke = (y: number): Html => html`<line x1="${left - 6}" x2="${left + 6}" y1="${y + 3}" y2="${y - 3}" />`
  return html`<g>
    <line class="budget" x1="${left}" x2="${right}" y1="${at}" y2="${at}" />
    <text class="budget-name" x="${right + 6}" y="${at}" dy="0.32em">budget</text>
    <text class="budget-name" x="${left - 8}" y="${at}" dy="0.32em" text-anchor="end"
      >${formatByteSize(budgetBytes)}</text
    >
    <g class="break">${stroke(cut - 3)} ${stroke(cut + 3)}</g>
  </g>`
}

/** Each level has its own height, so that it can be told without colour. */
const STRIP_SHARES: ReadonlyMap<string, number> = new Map([
  ['elevated', 0.4],
  ['high', 0.7],
  ['critical', 1],
])

/** Each level of pressure, from its first sample to the first one of another level. */
function pressureStrip({ frame, x }: TimeAxis, end: number, timeline: readonly MemorySample[]): Html | undefined {
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
