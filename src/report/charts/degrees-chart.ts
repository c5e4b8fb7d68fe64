import type { BuildReport, GraphReport } from '../../api/report.js'
import type { Html } from '../draw/html.js'
import { countText } from '../number-text.js'
import { histogramChart } from './histogram-chart.js'

export function degreesChart({ degrees }: GraphReport, { averageDegree, m }: BuildReport): Html {
  return histogramChart(degrees, {
    id: 'degrees',
    title: 'Links per vector',
    caption: `From ${countText(degrees.least)} to ${countText(degrees.most)} links on level 0, ${averageDegree} on average; the most is ${2 * m}.`,
    what: 'links of a vector',
    counted: 'vectors',
  })
}
