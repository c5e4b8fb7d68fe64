import type { Manifest } from '../format/generation/manifest.js'
import { compareBuilds, NOISE_RECALL, NOISE_SHARE, type ComparedFigure, type ComparedOption } from './compare-builds.js'
import { html, type Html } from './draw/html.js'
import { plural } from './number-text.js'
import { stagePairsChart } from './charts/stage-pairs-chart.js'

/** Words and signs, because colour alone is not enough. */
const SIGNS: Readonly<Record<ComparedFigure['verdict'], string>> = {
  worse: '▲ worse',
  better: '✓ better',
  changed: 'changed',
  same: 'same',
}

/** Two builds side by side. What got worse comes first, in words. */
export function comparisonSection(now: Manifest, before: Manifest): Html {
  const { groups, options } = compareBuilds(now, before)
  const worse = groups.flatMap(({ figures }) => figures).filter(({ verdict }) => verdict === 'worse')
  // Generations of two indexes may have the same name.
  const isSame = now.generation === before.generation
  const names = { now: isSame ? 'this one' : now.generation, before: isSame ? 'the other' : before.generation }
  const verdict =
    worse.length === 0
      ? html`<strong class="verdict better">✓ No figure got worse</strong>`
      : html`<strong class="verdict worse">▲ ${plural(worse.length, 'figure')} got worse</strong>: ${nameList(worse)}`
  return html`
    <section id="comparison" aria-labelledby="comparison-title">
      <h2 id="comparison-title">Compared with ${names.before}</h2>
      <p class="lead">${verdict}.</p>
      ${differentOptions(options)}
      <div class="framed">
        <table class="comparison" role="table" aria-label="Two builds side by side">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">Figure</th>
              <th role="columnheader" scope="col" class="number">${names.now}</th>
              <th role="columnheader" scope="col" class="number">${names.before}</th>
              <th role="columnheader" scope="col" class="number">Difference</th>
              <th role="columnheader" scope="col">Verdict</th>
            </tr>
          </thead>
          ${groups.map(
            ({ title, figures }) => html`
              <tbody role="rowgroup">
                <tr role="row" class="group">
                  <th role="rowheader" scope="rowgroup" colspan="5">${title}</th>
                </tr>
                ${figures.map((figure) => figureRow(figure, names))}
              </tbody>
            `,
          )}
        </table>
      </div>
      <p class="note">
        Times and sizes that differ by up to ${100 * NOISE_SHARE}%, and recall by up to ${String(NOISE_RECALL)}, count
        as the same, because two builds of the same data differ by that much.
      </p>
      ${stagePairsChart(now, before, names)}
    </section>
  `
}

function nameList(figures: readonly ComparedFigure[]): string {
  return figures.map(({ name }) => name).join(', ')
}

function differentOptions(options: readonly ComparedOption[]): Html | undefined {
  if (options.length === 0) return undefined
  const list = options.map(({ name, now, before }) => `${name} ${now}, before ${before}`).join('; ')
  return html`<p>The builds used different options, which may be the reason: ${list}.</p>`
}

/**
 * On a narrow page, cells are stacked with the names of their columns; the roles keep it a table for screen readers.
 */
function figureRow(
  { name, now, before, difference, verdict }: ComparedFigure,
  names: { readonly now: string; readonly before: string },
): Html {
  return html`
    <tr role="row" class="${verdict}">
      <th role="rowheader" scope="row">${name}</th>
      <td role="cell" class="number now" data-of="${names.now}">${now}</td>
      <td role="cell" class="number before" data-of="${names.before}">${before}</td>
      <td role="cell" class="number difference" data-of="Difference">${difference}</td>
      <td role="cell" class="says"><span class="verdict ${verdict}">${SIGNS[verdict]}</span></td>
    </tr>
  `
}
