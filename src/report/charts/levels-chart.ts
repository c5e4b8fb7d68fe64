import type { GraphReport } from '../../api/report.js'
import type { Html } from '../draw/html.js'
import { countText, plural } from '../number-text.js'
import { barsChart } from './bars-chart.js'

export function levelsChart({ levels }: GraphReport): Html {
  const top = levels.length - 1
  const caption =
    top === 0
      ? 'All vectors are on level 0; there is no level above it.'
      : `A search begins on level ${top} and descends to level 0, which has all vectors. The scale is logarithmic.`
  return barsChart({
    id: 'levels',
    title: 'Levels of the graph',
    caption,
    label: `Bars of the vectors on each of ${plural(levels.length, 'level')}, on a logarithmic scale.`,
    bars: levels.map((value, level) => ({ name: `level ${level}`, value, text: countText(value) })).reverse(),
    logarithmic: true,
    data: {
      name: 'Levels of the graph',
      head: ['Level', 'Vectors', 'Share of the level below'],
      rows: levels.map((count, level) => [
        String(level),
        countText(count),
        level === 0 ? '–' : `${((100 * count) / Math.max(1, levels[level - 1])).toFixed(1)}%`,
      ]),
    },
  })
}
