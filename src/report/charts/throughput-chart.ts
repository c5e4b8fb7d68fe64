import { max } from 'd3-array'
import { scaleLinear } from 'd3-scale'
import type { BuildReport } from '../../api/report.js'
import { drawing, innerBottom, PAGE_WIDTHS, roundTicks, valueAxis } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { rateText, tookText } from '../number-text.js'
import { shortNumber } from '../draw/short-number.js'
import { stageMarks } from '../draw/stage-marks.js'
import { endSeconds, overallRate, stageSpans, type StageSpan } from '../stage-spans.js'
import { timeAxis } from '../draw/time-axis.js'

/** Stages of a smaller share of the time are left out: some pass all vectors in an instant, and would set the scale. */
const LEAST_SHARE = 0.03
/**
 * Work is counted task by task: pieces shorter than this share of the time would show when tasks end, not their speed.
 */
const LEAST_PIECE_SHARE = 0.02

export interface RatePiece {
  readonly stage: string
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly vectorsPerSecond: number
}

/** The speed of each stage, from sample to sample; a stage without samples is one piece. */
export function ratePieces(report: BuildReport): RatePiece[] {
  const end = endSeconds(report)
  return stageSpans(report)
    .filter((span) => span.vectorsPerSecond !== undefined && span.seconds >= LEAST_SHARE * end)
    .flatMap((span) => piecesOf(span, report, LEAST_PIECE_SHARE * end))
}

function piecesOf(span: StageSpan, report: BuildReport, leastSeconds: number): RatePiece[] {
  const stageEnd = span.fromSeconds + span.seconds
  const total = (span.vectorsPerSecond ?? 0) * span.seconds
  const pieces: RatePiece[] = []
  let from = { at: span.fromSeconds, done: 0 }
  const addTo = (at: number, done: number): void => {
    const vectorsPerSecond = (done - from.done) / (at - from.at)
    pieces.push({ stage: span.name, fromSeconds: from.at, toSeconds: at, vectorsPerSecond })
    from = { at, done }
  }
  for (const { stage, atSeconds: at, vectorsDone: done } of report.memory?.timeline ?? []) {
    if (stage !== span.name || done === undefined || done <= from.done || done > total) continue
    if (at - from.at >= leastSeconds && stageEnd - at >= leastSeconds) addTo(at, done)
  }
  addTo(stageEnd, total)
  return pieces
}

/** Vectors per second, over time. */
export function throughputChart(report: BuildReport): Html | undefined {
  const pieces = ratePieces(report)
  if (pieces.length === 0) return undefined
  const summary = `${rateText(overallRate(report)).replace('/s', ' vectors per second')} over the whole build.`
  const most = max(pieces, ({ vectorsPerSecond }) => vectorsPerSecond) ?? 0
  return figure({
    id: 'throughput',
    title: 'Vectors per second in each stage',
    caption: `${summary} Every vector goes through every stage. Stages of less than ${100 * LEAST_SHARE}% of the time are left out.`,
    drawings: PAGE_WIDTHS.map((page) => {
      const time = timeAxis(page, report, { height: 206, top: 12, bottom: 26 })
      const { frame, x, axis } = time
      const y = scaleLinear([0, Math.max(1, most)], [innerBottom(frame), frame.top])
        .clamp(true)
        .nice(4)
      return drawing(page, frame, `Steps of vectors per second over time. ${summary}`, [
        valueAxis(
          frame,
          y,
          roundTicks(y, 3, (rate) => `${shortNumber(rate)}/s`),
        ),
        html`<g>${pieces.map((piece) => step(piece, x, y))}</g>`,
        stageMarks(time, report),
        axis,
      ])
    }),
    data: {
      name: 'Vectors per second over time',
      head: ['From', 'To', 'Stage', 'Vectors per second'],
      rows: pieces.map(({ fromSeconds, toSeconds, stage, vectorsPerSecond }) => [
        tookText(fromSeconds),
        tookText(toSeconds),
        stage,
        rateText(vectorsPerSecond),
      ]),
      text: [2],
    },
  })
}

function step(piece: RatePiece, x: (seconds: number) => number, y: (rate: number) => number): Html {
  const [from, to, top] = [x(piece.fromSeconds), x(piece.toSeconds), y(piece.vectorsPerSecond)]
  return html`
    <rect class="rate-area" x="${from}" y="${top}" width="${to - from}" height="${y(0) - top}" />
    <line class="rate-line" x1="${from}" x2="${to}" y1="${top}" y2="${top}" />
  `
}
