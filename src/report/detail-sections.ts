import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import type { BuildReport } from '../api/report.js'
import { given, html, type Content, type Html } from './draw/html.js'
import { countText, plural, tookText } from './number-text.js'
import { facts, table } from './draw/table.js'

/** Everything that the build noted: nothing that it did another way than asked is left out. */
export function eventsSection({ events, resumed }: BuildReport): Html {
  const list =
    events.length === 0
      ? html`<p>None. Nothing was skipped, tried again, repaired, or done with less than was asked for.</p>`
      : html`<ol class="events">
          ${events.map(
            ({ atSeconds, stage, kind, message }) => html`
              <li>
                <p class="remark"><code>${given(kind)}</code> ${tookText(atSeconds)}, ${given(stage)}</p>
                <p>${given(message)}</p>
              </li>
            `,
          )}
        </ol>`
  return html` <section id="events" aria-labelledby="events-title">
    <h2 id="events-title">Events</h2>
    ${resumed && html`<p>This build went on from one of ${given(resumed.startedAt)} that was interrupted: ${plural(resumed.vectors, 'vector')}, ${plural(resumed.shards, 'shard')} and ${plural(resumed.segments, 'links segment')} were taken over.</p>`}
    ${list}
  </section>`
}

export function parametersSection(manifest: Manifest): Html {
  const { report, entryPoint } = manifest
  const rows: readonly (readonly [string, Content])[] = [
    ['path', given(report.path)],
    ['generation', manifest.generation],
    ['created', manifest.createdAt],
    ['format', `version ${manifest.formatVersion}`],
    ['vectors', countText(report.count)],
    [
      'skipped',
      `${countText(report.skipped)} (${countText(report.skippedInvalid)} invalid, ${countText(report.skippedDuplicates)} with a repeated id)`,
    ],
    ['dimensions', String(report.dimensions)],
    ['metric', report.metric],
    ['quantization', manifest.quantization],
    ['m', `${report.m}; ${2 * report.m} on level 0`],
    ['engine', report.engine],
    ['quality', qualityText(report)],
    ['seed', String(report.seed)],
    ['threads', String(report.threads)],
    ['memory budget', formatByteSize(report.memoryBytes)],
    [
      'shards',
      countText(report.shards) +
        (report.splitShards > 0 ? `, ${countText(report.splitShards)} of the planned ones split` : ''),
    ],
    ['average degree', String(report.averageDegree)],
    ['levels above 0', String(manifest.levels)],
    ['entry point', `node ${entryPoint.node} on level ${entryPoint.level}`],
    [
      'time of all workers',
      `${tookText(report.workers.busySeconds)}, ${tookText(report.workers.tileSeconds)} of it in distances`,
    ],
  ]
  return html` <section id="parameters" aria-labelledby="parameters-title">
    <h2 id="parameters-title">Parameters</h2>
    ${facts(rows)}
  </section>`
}

function qualityText({ quality, trialRecall }: BuildReport): string {
  return trialRecall === undefined
    ? quality
    : `${quality}; a trial of balanced on sampled vectors found ${trialRecall.toFixed(3)}`
}

export function filesSection({ segments }: Manifest): Html {
  return html` <section id="files" aria-labelledby="files-title">
    <h2 id="files-title">Files</h2>
    <p>CRC-32 of each whole file, as the manifest lists them. <code>shardloom verify</code> computes them again.</p>
    <details>
      <summary>${plural(segments.length, 'file')} with checksums</summary>
      ${table({
        name: 'Files with checksums',
        head: ['File', 'First node', 'Nodes', 'Bytes', 'CRC-32'],
        rows: segments.map(({ name, firstNode, count, bytes, crc32 }) => [
          html`<code>${name}</code>`,
          countText(firstNode),
          countText(count),
          countText(bytes),
          html`<code>${crc32.toString(16).padStart(8, '0')}</code>`,
        ]),
      })}
    </details>
  </section>`
}
