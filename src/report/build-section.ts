import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import { memoryChart } from './charts/memory-chart.js'
import { spillChart } from './charts/spill-chart.js'
import { stagesChart } from './charts/stages-chart.js'
import { throughputChart } from './charts/throughput-chart.js'
import { html, type Html } from './draw/html.js'

/** The build over time. */
export function buildSection({ report }: Manifest): Html {
  return html` <section id="course" aria-labelledby="course-title">
    <h2 id="course-title">How the build went</h2>
    <p class="note">
      Charts over time share one axis. Their lines mark where stages begin; the first chart names them.
    </p>
    ${stagesChart(report)} ${memoryChart(report)} ${throughputChart(report)}
    ${spillChart(report) ?? html`<p class="note">${spillNote(report.spilledBytes)}</p>`}
  </section>`
}

function spillNote(spilledBytes: number): string {
  return spilledBytes > 0
    ? `${formatByteSize(spilledBytes)} went through temporary files.`
    : 'Nothing was written to temporary files: everything that waited between stages fit in memory.'
}
