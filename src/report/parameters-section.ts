import type { BuildReport } from '../api/report.js'
import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import { given, html, type Content, type Html } from './draw/html.js'
import { facts } from './draw/table.js'
import { countText, tookText } from './number-text.js'

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
        (report.splitShards > 0 ? `, ${countText(report.splitShards)} planned shards were split` : ''),
    ],
    ['average degree', String(report.averageDegree)],
    ['levels above 0', String(manifest.levels)],
    ['entry point', `node ${entryPoint.node} on level ${entryPoint.level}`],
    [
      'worker time',
      `${tookText(report.workers.busySeconds)}, ${tookText(report.workers.tileSeconds)} of it for distances${tileText(report)}`,
    ],
  ]
  return html` <section id="parameters" aria-labelledby="parameters-title">
    <h2 id="parameters-title">Parameters</h2>
    ${facts(rows)}
  </section>`
}

function tileText({ workers: { tile } }: BuildReport): string {
  return tile === undefined ? '' : `, in tiles of ${tile.replace('x', ' × ')}`
}

function qualityText({ quality, trialRecall }: BuildReport): string {
  return trialRecall === undefined
    ? quality
    : `${quality}; its trial on sampled vectors had recall@10 ${trialRecall.toFixed(3)}`
}
