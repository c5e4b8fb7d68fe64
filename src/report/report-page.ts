/** The report page of a build: one HTML file that needs nothing else, neither a network nor a script. */
import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import type { RecallCurve, Tuning } from '../api/measure.js'
import { comparisonSection } from './comparison-section.js'
import { diskChart } from './charts/disk-chart.js'
import { eventsSection, filesSection, parametersSection } from './detail-sections.js'
import { degreesChart, levelsChart, shardsChart } from './charts/graph-charts.js'
import { given, html, markup, type Html } from './draw/html.js'
import { memoryChart } from './charts/memory-chart.js'
import { missingNotes } from './missing-notes.js'
import { countText } from './number-text.js'
import { recallChart } from './charts/recall-chart.js'
import { shellWord } from './shell-word.js'
import { spillChart } from './charts/spill-chart.js'
import { stagesChart } from './charts/stages-chart.js'
import { STYLE } from './draw/style.js'
import { summarySection } from './summary-section.js'
import { throughputChart } from './charts/throughput-chart.js'

export interface ReportPage {
  /** The generation, with its report as it is to be shown. */
  readonly manifest: Manifest
  /** The index directory, as the caller named it. */
  readonly path: string
  /** The build that it is compared with. */
  readonly before?: Manifest
  readonly recall?: RecallCurve
  /** Widths of search that were chosen for this generation. */
  readonly tunings: readonly Tuning[]
  /** When the page is made, ISO 8601, and by which version. */
  readonly madeAt: string
  readonly version: string
}

/** No address outside of the page can be asked for, whatever text got into it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

/** The whole page. */
export function reportPage(page: ReportPage): string {
  const { manifest, before, recall } = page
  const { report } = manifest
  const { graph } = report
  const sections: readonly (readonly [string, string])[] = [
    ['summary', 'Result'],
    ...(before === undefined ? [] : ([['comparison', 'Comparison']] as const)),
    ['course', 'Build'],
    ['index', 'Index'],
    ['search', 'Search'],
    ['events', 'Events'],
    ['parameters', 'Parameters'],
    ['files', 'Files'],
  ]
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="shardloom ${page.version}" />
        <link rel="icon" href="data:," />
        <title>${nameOf(page.path)} ${manifest.generation}: build report</title>
        <style>
          ${markup(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the report</a>
        <header>
          <p class="kind">Build report</p>
          <h1>${given(nameOf(page.path))}</h1>
          <p class="where">
            ${manifest.generation}, built <time datetime="${manifest.createdAt}">${timeOf(manifest.createdAt)}</time>${
              before === undefined
                ? undefined
                : html`, beside ${before.generation} of
                    <time datetime="${before.createdAt}">${timeOf(before.createdAt)}</time>`
            }
          </p>
          <nav aria-label="Parts of this report">
            <ul>
              ${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main id="main">
          ${summarySection(manifest)} ${before === undefined ? undefined : comparisonSection(manifest, before)}
          <section id="course" aria-labelledby="course-title">
            <h2 id="course-title">How it went</h2>
            ${stagesChart(report)} ${memoryChart(report)} ${throughputChart(report)}
            ${spillChart(report) ?? html`<p class="note">${spillNote(manifest)}</p>`}
          </section>
          <section id="index" aria-labelledby="index-title">
            <h2 id="index-title">What the index looks like</h2>
            <div class="pair">
              ${graph && shardsChart(graph, report)} ${graph && degreesChart(graph, report)}
              ${graph && levelsChart(graph)} ${diskChart(manifest.segments, manifest.count)}
            </div>
          </section>
          ${searchSection(page, recall)} ${eventsSection(report)} ${parametersSection(manifest)}
          ${filesSection(manifest)} ${missingNotes(manifest)}
        </main>
        <footer>
          <p>Made <time datetime="${page.madeAt}">${timeOf(page.madeAt)}</time> by shardloom ${page.version}.</p>
        </footer>
      </body>
    </html> `.text
}

function spillNote({ report }: Manifest): string {
  return report.spilledBytes > 0
    ? `${formatByteSize(report.spilledBytes)} went through temporary files.`
    : 'Nothing was written to temporary files: all that waited between the stages had room in memory.'
}

function searchSection({ manifest, path, tunings }: ReportPage, recall: RecallCurve | undefined): Html {
  const { recallAt10 } = manifest.report
  return html` <section id="search" aria-labelledby="search-title">
    <h2 id="search-title">How well it is searched</h2>
    <p>
      The proof of the build: recall@10 is ${recallAt10.toFixed(4)} at ef 64, of vectors of the index against exact
      search, each left out of its own neighbours.
    </p>
    ${tunings.map(
      ({ k, targetRecall, ef, recall: reached, queries, source }) =>
        html`<p>
          Searches for ${countText(k)} that give no ef use ${countText(ef)}: it was chosen for a recall of
          ${targetRecall.toFixed(4)} and reached ${reached.toFixed(4)}, measured with ${countText(queries)}
          ${source === 'given' ? 'given queries' : 'vectors of the index'}.
        </p>`,
    )}
    ${
      recall === undefined
        ? html`<p class="note">
            The curve of recall and speed was not measured for this page.
            <code>shardloom report ${given(shellWord(path))} --recall --out FILE</code> measures it with vectors of the
            index, <code>--queries FILE</code> with queries of your own.
          </p>`
        : recallChart(recall)
    }
  </section>`
}

/** The last part of a path; all of it where there is none. */
function nameOf(path: string): string {
  return /([^/\\]+)[/\\]*$/.exec(path)?.[1] ?? path
}

/** 2026-01-31T12:00:00.000Z → 2026-01-31 12:00 UTC. */
function timeOf(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
