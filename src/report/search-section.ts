import type { RecallCurve, Tuning } from '../api/measure.js'
import type { BuildReport } from '../api/report.js'
import { recallChart } from './charts/recall-chart.js'
import { given, html, type Html } from './draw/html.js'
import { countText } from './number-text.js'
import { shellWord } from './shell-word.js'
import { ownRecall, recallText } from './verdict.js'

export interface SearchFacts {
  /** The index directory, as the caller named it. */
  readonly path: string
  readonly report: BuildReport
  readonly tunings: readonly Tuning[]
  readonly recall: RecallCurve | undefined
  readonly efInUse: number
}

/** Recall, and the beam widths that were chosen. */
export function searchSection({ path, report, tunings, recall, efInUse }: SearchFacts): Html {
  const own = ownRecall(report, recall)
  return html` <section id="search" aria-labelledby="search-title">
    <h2 id="search-title">How good searches are</h2>
    <p>
      Searches at ef 64 have a recall@10 of ${recallText(own.recall, own.interval)}, measured with
      ${countText(own.queries)} vectors of the index, each left out of its own neighbours, against exact search. In
      brackets is the 95% interval. New queries are harder.
    </p>
    ${tunings.map(
      ({ k, targetRecall, ef, recall: reached, queries, source }) =>
        html`<p>
          Searches with k ${countText(k)} and no ef use ef ${countText(ef)}: it was chosen for a recall of
          ${targetRecall.toFixed(4)} and reached ${reached.toFixed(4)}, measured with ${countText(queries)}
          ${source === 'given' ? 'given queries' : 'vectors of the index'}.
        </p>`,
    )}
    ${
      recall === undefined
        ? html`<p class="note">
            The curve of recall and speed was not measured for this page.
            <code>shardloom report ${given(shellWord(path))} --recall --out FILE</code> measures it with vectors of the
            index, <code>--queries FILE</code> with your own queries.
          </p>`
        : recallChart(recall, efInUse)
    }
  </section>`
}
