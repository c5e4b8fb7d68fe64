// The results of compare.mjs and growth.mjs as markdown: `node tables.mjs FILE.json...`
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

export function renderComparison({ machine, data, settings, contenders, runs }) {
  const shardloom = contenders.find(({ contender }) => contender === 'shardloom')
  const { report } = runs.find(({ contender }) => contender === 'shardloom')
  const usearch = contenders.find(({ contender }) => contender === 'usearch')
  return [
    `### ${data.name}: ${count(data.count)} x ${data.dims}, ${data.metric}`,
    `${machineText(machine)} M = ${settings.m}, efConstruction = ${settings.efConstruction}, ` +
      `${settings.threads} threads where there can be more than one; Shardloom: ${builtWith(report)}. ` +
      `${runs.length / contenders.length} run(s) of each, ${count(data.queries)} queries on one thread.`,
    markdownTable(
      ['', 'threads', 'whole, s', 'add only, s', 'CPU, s', 'vectors/s', 'peak RSS, MB', 'index, MB'],
      contenders.map((c) => [
        nameOf(c),
        c.threads,
        seconds(c.whole),
        seconds(c.add),
        seconds(c.cpu),
        count(Math.round(c.vectorsPerSecond)),
        megabytes(c.peakRssBytes),
        megabytes(c.indexBytes),
      ]),
    ),
    ...(usearch === undefined
      ? []
      : [
          `usearch's add takes ${(usearch.add / shardloom.whole).toFixed(2)} times as long as Shardloom's whole build; ` +
            `its process takes ${(usearch.cpu / shardloom.cpu).toFixed(2)} times as much CPU.`,
        ]),
    markdownTable(
      ['recall@10, queries/s', ...contenders.map(nameOf)],
      shardloom.curve.map(({ ef }, i) => [
        `ef ${ef}`,
        ...contenders.map(({ curve }) => `${curve[i].recall.toFixed(4)}, ${count(Math.round(curve[i].qps))}`),
      ]),
    ),
    markdownTable(
      ['queries/s at recall', ...contenders.map(nameOf)],
      shardloom.qpsAtRecall.map(({ recall }, i) => [
        recall.toFixed(2),
        ...contenders.map(({ qpsAtRecall }) => rateText(qpsAtRecall[i])),
      ]),
    ),
    renderStages(runs.filter(({ contender }) => contender === 'shardloom').map(({ report }) => report)),
  ].join('\n\n')
}

/** Where Shardloom's time goes: of the run with the middle time. */
function renderStages(reports) {
  const report = reports.toSorted((a, b) => a.seconds - b.seconds)[(reports.length - 1) >> 1]
  return markdownTable(
    ['Shardloom, stage', 'seconds', 'share', 'peak RSS, MB'],
    report.stages.map((stage) => [
      stage.name,
      stage.seconds.toFixed(2),
      `${((100 * stage.seconds) / report.seconds).toFixed(0)}%`,
      megabytes(stage.peakRssBytes),
    ]),
  )
}

export function renderGrowth({ machine, settings, series }) {
  const head = `${machineText(machine)} Shardloom, ${settings.threads} threads, ` + `${settings.repeat} run(s) of each.`
  const rows = series.flatMap(({ name, dims, metric, points }) =>
    points.map((point, i) => [
      `${name}, ${dims} dimensions, ${metric}`,
      count(point.count),
      seconds(point.whole),
      seconds(point.cpu),
      ((1e6 * point.whole) / point.count).toFixed(1),
      i === 0 ? '-' : growthPerDoubling(points[i - 1], point).toFixed(2),
      megabytes(point.peakRssBytes),
      point.runs[0].report.quality,
      point.recallAt10.toFixed(4),
    ]),
  )
  const columns = [
    'data',
    'vectors',
    'whole, s',
    'CPU, s',
    'µs a vector',
    'growth a doubling',
    'peak RSS, MB',
    'quality',
    'recall (proof)',
  ]
  return ['### Growth', head, markdownTable(columns, rows)].join('\n\n')
}

/** By how much the time grows when the count doubles, from two counts that need not be a doubling apart. */
export function growthPerDoubling(from, to) {
  return (to.whole / from.whole) ** (Math.LN2 / Math.log(to.count / from.count))
}

function builtWith({ engine, quality, trialRecall, memoryBytes }) {
  const tried =
    trialRecall === undefined || trialRecall === null ? '' : ` after a trial at recall ${trialRecall.toFixed(3)}`
  return `engine ${engine}, quality ${quality}${tried}, memory ${(memoryBytes / 1e9).toFixed(1)} GB`
}

export function machineText({ cpu, cores, memoryBytes, system, node, loadAverage, date }) {
  return (
    `${date}: ${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}, Node.js ${node}, ` +
    `load average ${loadAverage.join(' ')} at the start.`
  )
}

/** @param rows of cells, texts or numbers. */
export function markdownTable(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n')
}

/** The whole numbers of an option such as `1,2`. */
export function numbersOf(text, option) {
  const numbers = text.split(',').map(Number)
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers
  throw new Error(`${option} must be whole numbers above 0, such as 1,2: ${text}`)
}

const nameOf = ({ contender, version }) => (version === undefined ? contender : `${contender} ${version}`)
const count = (value) => value.toLocaleString('en-US')
const seconds = (value) => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 1))
const megabytes = (bytes) => (bytes === null ? '-' : (bytes / 1e6).toFixed(0))
const rateText = ({ qps, atLeast }) => (qps === undefined ? '-' : `${atLeast ? '> ' : ''}${count(Math.round(qps))}`)

function main(files) {
  const render = { comparison: renderComparison, growth: renderGrowth }
  const results = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
  console.log(results.map((result) => render[result.kind](result)).join('\n\n'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2))
