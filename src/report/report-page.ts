import type { RecallCurve, Tuning } from '../api/measure.js'
import type { Manifest } from '../format/generation/manifest.js'
import { buildSection } from './build-section.js'
import { comparisonSection } from './comparison-section.js'
import { given, html, markup, type Html } from './draw/html.js'
import { ICON, mark } from './draw/mark.js'
import { STYLE } from './draw/style.js'
import { eventsSection } from './events-section.js'
import { filesSection } from './files-section.js'
import { hostsSection } from './hosts-section.js'
import { indexSection } from './index-section.js'
import { missingNotes } from './missing-notes.js'
import { plural } from './number-text.js'
import { parametersSection } from './parameters-section.js'
import { searchSection } from './search-section.js'
import { pageVerdict, summarySection } from './summary-section.js'

export interface ReportPage {
  /** The generation, with its report as it is to be shown. */
  readonly manifest: Manifest
  /** The index directory, as the caller named it. */
  readonly path: string
  /** The same, absolute: the title of the page. */
  readonly directory: string
  /** The build to compare with. */
  readonly before?: Manifest
  readonly recall?: RecallCurve
  /** Beam widths that were chosen for this generation. */
  readonly tunings: readonly Tuning[]
  /** The beam width of searches that give none. */
  readonly efInUse: number
  /** When the page is made, ISO 8601. */
  readonly madeAt: string
  /** Version of shardloom that makes it. */
  readonly version: string
}

/** Keeps the page from requesting any address, whatever text is in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

/** The report page of a build: one HTML file that needs no network, no other file and no script. */
export function reportPage(page: ReportPage): string {
  const { manifest, path, before, recall, tunings, efInUse } = page
  const { report } = manifest
  return html`<!doctype html>
    <html lang="en">
      ${head(page)}
      <body class="state-${pageVerdict(page)}">
        <a class="skip" href="#main">Skip to the report</a>
        ${header(page)}
        <main id="main">
          ${summarySection(page)} ${before && comparisonSection(manifest, before)} ${buildSection(manifest)}
          ${hostsSection(report)} ${indexSection(manifest)} ${searchSection({ path, report, tunings, recall, efInUse })}
          ${eventsSection(report)} ${parametersSection(manifest)} ${filesSection(manifest)} ${missingNotes(manifest)}
        </main>
        <footer>
          <p>Made ${timeElement(page.madeAt)} by shardloom ${page.version}.</p>
        </footer>
      </body>
    </html> `.text
}

function head({ manifest, directory, version }: ReportPage): Html {
  return html`<head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
    <meta name="color-scheme" content="light dark" />
    <meta name="generator" content="shardloom ${version}" />
    <link rel="icon" href="${ICON}" />
    <title>${directory}: ${subjectOf(manifest)}. Build report of Shardloom</title>
    <style>
      ${markup(STYLE)}
    </style>
  </head>`
}

function header({ manifest, directory, before }: ReportPage): Html {
  const sections: readonly (readonly [string, string])[] = [
    ['summary', 'Result'],
    ...(before === undefined ? [] : ([['comparison', 'Comparison']] as const)),
    ['course', 'Build'],
    ...(manifest.report.hosts === undefined ? [] : ([['hosts', 'Hosts']] as const)),
    ['index', 'Index'],
    ['search', 'Search'],
    ['events', 'Events'],
    ['parameters', 'Parameters'],
    ['files', 'Files'],
  ]
  const [folder, name] = partsOf(directory)
  const compared = before && html`, compared with ${before.generation} of ${timeElement(before.createdAt)}`
  return html`<header>
    <p class="kind">
      ${mark()} <span><strong>Shardloom</strong> build report</span>
    </p>
    <h1>${folder === '' ? undefined : html`<span class="folder">${given(folder)}</span>`}${given(name)}</h1>
    <p class="subject">${subjectOf(manifest)}</p>
    <p class="where">${manifest.generation}, built ${timeElement(manifest.createdAt)}${compared}</p>
    <nav aria-label="Parts of this report">
      <ul>
        ${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}
      </ul>
    </nav>
  </header>`
}

/** What the index is of: vectors, dimensions and metric. */
function subjectOf({ report, quantization }: Manifest): string {
  const compact = quantization === 'f32' ? '' : ` with ${quantization} quantization`
  return `${plural(report.count, 'vector')} of ${plural(report.dimensions, 'dimension')}, ${report.metric}${compact}`
}

/** A path as the folders with their last separator, and the last part. */
function partsOf(path: string): readonly [string, string] {
  const name = /([^/\\]+)[/\\]*$/.exec(path)?.[0] ?? path
  return [path.slice(0, path.length - name.length), name]
}

/** 2026-01-31T12:00:00.000Z → 2026-01-31 12:00 UTC. */
function timeElement(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`
}
