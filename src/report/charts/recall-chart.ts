import { extent, max } from 'd3-array'
import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import type { RecallCurve, RecallPoint } from '../../api/measure.js'
import {
  baseAxis,
  baseTitle,
  drawing,
  HALF_WIDTHS,
  innerBottom,
  innerRight,
  roundTicks,
  valueAxis,
} from '../draw/drawing.js'
import type { Frame, PageWidth } from '../draw/drawing.js'
import { figure } from '../draw/figure.js'
import { html, type Html } from '../draw/html.js'
import { placeNames } from '../draw/place-names.js'
import { countText } from '../number-text.js'
import { shortNumber } from '../draw/short-number.js'

/** Recall against queries per second: to the right is more recall, up is faster. */
export function recallChart({ k, queries, source, points }: RecallCurve, efInUse: number): Html {
  const asked =
    source === 'sampled'
      ? `${countText(queries)} vectors of the index, each left out of its own neighbours; new queries are harder`
      : `${countText(queries)} given queries`
  const isMarked = points.some(({ ef }) => ef === efInUse)
  const marked = isMarked ? ` The ring marks ef ${countText(efInUse)}, which a search uses that gives none.` : ''
  return figure({
    id: 'recall',
    title: `Recall@${k} and speed of searches`,
    caption: `Each point is one beam width (ef): wider beams find more and take longer.${marked} One thread; ${asked}.`,
    drawings: HALF_WIDTHS.map((page) => draw(page, points, k, efInUse)),
    isBeside: true,
    data: {
      name: 'Recall and speed by ef',
      head: ['ef', `Recall@${k}`, 'Queries per second', 'Median time'],
      rows: points.map(({ ef, recall, queriesPerSecond, p50Ms }) => [
        ef === efInUse ? html`<strong>${ef}, in use</strong>` : String(ef),
        recall.toFixed(4),
        countText(queriesPerSecond),
        `${p50Ms.toFixed(3)} ms`,
      ]),
    },
  })
}

function draw(page: PageWidth, points: readonly RecallPoint[], k: number, efInUse: number): Html {
  const frame: Frame = { width: page.width, height: 280, left: 56, right: 20, top: 18, bottom: 42 }
  const [least = 0, most = 1] = extent(points, ({ recall }) => recall)
  const margin = 0.06 * (most - least) + 0.001
  const x = scaleLinear(
    [Math.max(0, least - margin), Math.min(1, most + margin)],
    [frame.left, innerRight(frame)],
  ).clamp(true)
  const fastest = max(points, ({ queriesPerSecond }) => queriesPerSecond) ?? 0
  const y = scaleLinear([0, Math.max(1, fastest)], [innerBottom(frame), frame.top])
    .clamp(true)
    .nice(4)
  const over = line<RecallPoint>()
    .x(({ recall }) => x(recall))
    .y(({ queriesPerSecond }) => y(queriesPerSecond))
  const digits = most - least > 0.05 ? 2 : 3
  const dots = points.map(({ ef, recall, queriesPerSecond }) => {
    const isInUse = ef === efInUse
    return { text: `ef ${ef}${isInUse ? ', in use' : ''}`, x: x(recall), y: y(queriesPerSecond), isInUse }
  })
  const ends =
    points.length === 0
      ? ''
      : ` From ${least.toFixed(3)} at ef ${points[0].ef} to ${most.toFixed(3)} at ef ${points[points.length - 1].ef}.`
  return drawing(page, frame, `Curve of queries per second over recall.${ends}`, [
    valueAxis(
      frame,
      y,
      roundTicks(y, 4, (rate) => `${shortNumber(rate)}/s`),
    ),
    baseAxis(
      frame,
      x,
      roundTicks(x, 4, (value) => value.toFixed(digits)),
    ),
    baseTitle(frame, `recall@${k}`),
    html`<path class="recall-line" d="${over([...points]) ?? ''}" />`,
    dots.map(
      (dot) => html`
        ${dot.isInUse ? html`<circle class="ring" cx="${dot.x}" cy="${dot.y}" r="8" />` : undefined}
        <circle class="recall-dot" cx="${dot.x}" cy="${dot.y}" r="4" />
      `,
    ),
    // The one in use is placed first: its name is never left out for another.
    placeNames(
      [...dots].sort((a, b) => Number(b.isInUse) - Number(a.isInUse)),
      frame,
    ).map(
      ({ text, left, middle }) =>
        html`<text
          class="${text.endsWith('in use') ? 'dot-name value' : 'dot-name'}"
          x="${left}"
          y="${middle}"
          dy="0.32em"
          >${text}</text
        >`,
    ),
  ])
}
