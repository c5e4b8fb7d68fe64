import { sum } from 'd3-array'
import type { BuildReport, GraphReport } from '../../api/report.js'
import { html, type Html } from '../draw/html.js'
import { countText, plural } from '../number-text.js'
import { histogramChart } from './histogram-chart.js'

export function shardsChart({ shardSizes }: GraphReport, { splitShards }: BuildReport): Html | undefined {
  if (shardSizes === undefined) return undefined
  const { counts, least, most } = shardSizes
  const shards = sum(counts)
  if (shards === 1) return oneShard(most)
  const sizes =
    least === most ? `${countText(least)} members each` : `from ${countText(least)} to ${countText(most)} members`
  const split = splitShards === 0 ? '' : ` ${plural(splitShards, 'shard')} came out too large and had to be split.`
  return histogramChart(shardSizes, {
    id: 'shards',
    title: 'Shard sizes',
    caption: `${plural(shards, 'shard')}, ${sizes}. A vector is a member of its nearest shard; copies of it may be members of the next nearest.${split}`,
    what: 'members of a shard',
    counted: 'shards',
  })
}

/** There is nothing to compare, so nothing to draw. */
function oneShard(members: number): Html {
  return html`<div id="shards" class="told">
    <h3>Shard sizes</h3>
    <p>One shard has all ${plural(members, 'vector')}. Larger builds are cut into several.</p>
  </div>`
}
