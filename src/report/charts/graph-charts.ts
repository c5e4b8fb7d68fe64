import { sum } from 'd3-array'
import type { BuildReport, GraphReport } from '../../api/report.js'
import { barsChart } from './bars-chart.js'
import { histogramChart } from './histogram-chart.js'
import type { Html } from '../draw/html.js'
import { countText, plural } from '../number-text.js'

export function shardsChart({ shardSizes }: GraphReport, { splitShards }: BuildReport): Html | undefined {
  if (shardSizes === undefined) return undefined
  const { counts, least, most } = shardSizes
  const sizes =
    least === most ? `${countText(least)} members each` : `from ${countText(least)} to ${countText(most)} members`
  const split = splitShards === 0 ? '' : ` ${plural(splitShards, 'shard')} came out too large and had to be split.`
  return histogramChart(shardSizes, {
    id: 'shards',
    title: 'Shard sizes',
    caption: `${plural(sum(counts), 'shard')}, ${sizes}. A vector is a member of its nearest shard and, as a copy, of those next to it.${split}`,
    what: 'members of a shard',
    counted: 'shards',
  })
}

export function degreesChart({ degrees }: GraphReport, { averageDegree, m }: BuildReport): Html {
  return histogramChart(degrees, {
    id: 'degrees',
    title: 'Links of a vector',
    caption: `From ${countText(degrees.least)} to ${countText(degrees.most)} links on the lowest level, ${averageDegree} on average; there is room for ${2 * m}.`,
    what: 'links of a vector',
    counted: 'vectors',
  })
}

export function levelsChart({ levels }: GraphReport): Html {
  const top = levels.length - 1
  const caption =
    top === 0
      ? 'All vectors are on level 0; there is none above.'
      : `A search begins on level ${top} and comes down to level 0, which has all vectors. Each step of a bar to the right is a factor.`
  return barsChart({
    id: 'levels',
    title: 'Levels of the graph',
    caption,
    label: `Bars of the vectors on each of ${plural(levels.length, 'level')}, on a logarithmic scale.`,
    bars: levels.map((value, level) => ({ name: `level ${level}`, value, text: countText(value) })).reverse(),
    logarithmic: true,
    data: {
      name: 'Levels of the graph',
      head: ['Level', 'Vectors', 'Of the level below'],
      rows: levels.map((count, level) => [
        String(level),
        countText(count),
        level === 0 ? '–' : `${((100 * count) / Math.max(1, levels[level - 1])).toFixed(1)}%`,
      ]),
    },
  })
}
