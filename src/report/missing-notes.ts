import type { Manifest } from '../format/generation/manifest.js'
import { html, type Html } from './draw/html.js'

/** What a report of an earlier version, or of an import, does not hold; undefined when nothing is missing. */
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
    parts.push('Memory and spilled bytes over time: the index was built before they were noted.')
  else if (memory.timeline.length === 0) parts.push('Memory over time: the build ended before a sample was taken.')
  if (graph === undefined) {
    parts.push(
      'Shard sizes, degrees and levels: the index was built before they were noted. Build it again to see them.',
    )
  } else if (graph.shardSizes === undefined) {
    parts.push(engine === 'hnswlib-import' ? 'Shard sizes: an import has no shards.' : 'Shard sizes.')
  }
  if (stages.some(({ atSeconds }) => atSeconds === undefined)) {
    parts.push('When each stage began: the stages are drawn one after the other.')
  }
  return parts
}
