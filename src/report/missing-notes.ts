import type { Manifest } from '../format/generation/manifest.js'
import { html, type Html } from './draw/html.js'

/** Parts that are missing in reports of earlier versions and of imports; undefined when nothing is missing. */
export function missingNotes({ report }: Manifest): Html | undefined {
  const missing = missingParts(report)
  if (missing.length === 0) return undefined
  return html` <section id="missing" aria-labelledby="missing-title">
    <h2 id="missing-title">Not in this report</h2>
    <ul>
      ${missing.map((one) => html`<li>${one}</li>`)}
    </ul>
  </section>`
}

export function missingParts({ memory, graph, engine, stages }: Manifest['report']): string[] {
  const parts: string[] = []
  if (memory === undefined)
    parts.push('Memory and spilled bytes over time: the version that built the index did not record them.')
  else if (memory.timeline.length === 0) parts.push('Memory over time: the build ended before the first sample.')
  if (graph === undefined) {
    parts.push(
      'Shard sizes, degrees and levels: the version that built the index did not record them. Rebuild it to see them.',
    )
  } else if (graph.shardSizes === undefined) {
    parts.push(engine === 'hnswlib-import' ? 'Shard sizes: an import has no shards.' : 'Shard sizes.')
  }
  if (stages.some(({ atSeconds }) => atSeconds === undefined)) {
    parts.push('When each stage began: the stages are drawn one after another.')
  }
  return parts
}
