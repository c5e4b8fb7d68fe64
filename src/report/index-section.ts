import type { Manifest } from '../format/generation/manifest.js'
import { degreesChart } from './charts/degrees-chart.js'
import { diskChart } from './charts/disk-chart.js'
import { levelsChart } from './charts/levels-chart.js'
import { shardsChart } from './charts/shards-chart.js'
import { html, type Html } from './draw/html.js'

/** The graph and its files. */
export function indexSection({ report, segments, count }: Manifest): Html {
  const { graph } = report
  return html` <section id="index" aria-labelledby="index-title">
    <h2 id="index-title">What the index looks like</h2>
    <div class="pair">
      ${graph && shardsChart(graph, report)} ${graph && degreesChart(graph, report)} ${graph && levelsChart(graph)}
      ${diskChart(segments, count)}
    </div>
  </section>`
}
