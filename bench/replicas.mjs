// Replicas of a search: processes that open one index, read-only, and answer single queries side by side, each on one
// thread. Queries/s of one process and of several together, by turns; medians are printed. Each process reads the index
// into its own memory, so replicas on one machine share the file's cache, and nothing else.
//
//   npm run build && cd bench && npm install
//   node replicas.mjs --index DIR --queries query.bvecs [--ground-truth gt.ivecs]
//   node replicas.mjs --base base.bvecs --queries query.bvecs            # builds the index first, in a temporary folder
//                     [--metric l2] [--processes 1,2] [--ef 64] [--memory 4GB] [--seconds 5] [--repeat 3] [--json FILE]
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuSeconds, describeMachine, peakRssBytes } from './machine.mjs'
import { K, median } from './search-curve.mjs'
import { buildWithShardloom } from './shardloom-build.mjs'
import { machineText, markdownTable, numbersOf } from './tables.mjs'
import { readIvecs, readVectors } from './vector-files.mjs'

const OPTIONS = {
  index: { type: 'string' },
  base: { type: 'string' },
  queries: { type: 'string' },
  'ground-truth': { type: 'string' },
  metric: { type: 'string', default: 'l2' },
  processes: { type: 'string', default: '1,2' },
  ef: { type: 'string', default: '64' },
  memory: { type: 'string', default: '4GB' },
  seconds: { type: 'string', default: '5' },
  repeat: { type: 'string', default: '3' },
  json: { type: 'string' },
}

async function measureReplicas(options) {
  if (options.queries === undefined) throw new Error('--queries FILE is missing')
  if ((options.index === undefined) === (options.base === undefined)) throw new Error('give --index DIR or --base FILE')
  const processes = numbersOf(options.processes, '--processes')
  const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-replicas-'))
  try {
    const machine = describeMachine()
    const index = options.index ?? path.join(scratch, 'built.index')
    if (options.base !== undefined) await buildWithShardloom(options.base, index, { metric: options.metric })
    const runs = []
    for (let repeat = 0; repeat < Number(options.repeat); repeat++) {
      for (const count of processes) {
        const replicas = await runReplicas(count, { ...options, index, truth: options['ground-truth'] })
        runs.push({ processes: count, replicas })
        console.error(`${count} process(es): ${Math.round(together(replicas))} queries/s`)
      }
    }
    const { ef, seconds, memory, repeat } = options
    return { kind: 'replicas', machine, settings: { ef, seconds, memory, repeat }, summary: summarise(runs), runs }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** Starts the processes, waits until all have opened the index, and lets them search at the same time. */
async function runReplicas(count, { index, queries, truth, ef, memory, seconds }) {
  const job = { index, queries, truth, ef: Number(ef), memory, seconds: Number(seconds) }
  const children = Array.from({ length: count }, () => fork(fileURLToPath(import.meta.url), ['--as-child']))
  try {
    await Promise.all(children.map((child) => answerOf(child, { open: job })))
    return await Promise.all(children.map((child) => answerOf(child, { search: true })))
  } finally {
    for (const child of children) child.kill()
  }
}

/** The answer of a replica to one message; an error when it ends instead. */
function answerOf(child, message) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a replica ended with exit code ${code}`))
    child.once('exit', onExit)
    child.once('error', reject)
    child.once('message', (answer) => {
      child.off('exit', onExit).off('error', reject)
      resolve(answer)
    })
    child.send(message)
  })
}

/** Queries per second of all processes together: they began at the same time, so the last one to end counts. */
function together(replicas) {
  const queries = replicas.reduce((sum, replica) => sum + replica.queries, 0)
  return queries / Math.max(...replicas.map(({ seconds }) => seconds))
}

/** Medians of each number of processes, beside the first one. */
export function summarise(runs) {
  const counts = [...new Set(runs.map(({ processes }) => processes))]
  const rows = counts.map((processes) => {
    const all = runs.filter((run) => run.processes === processes).map(({ replicas }) => replicas)
    return {
      processes,
      queriesPerSecond: median(all.map(together)),
      slowestShare: median(all.map(slowestShare)),
      cpuMicrosPerQuery: median(all.flat().map(({ cpuSeconds, queries }) => (1e6 * cpuSeconds) / queries)),
      peakRssBytes: median(all.flat().map((replica) => replica.peakRssBytes)),
      recall: all[0][0].recall,
    }
  })
  return rows.map((row) => ({ ...row, timesFirst: row.queriesPerSecond / rows[0].queriesPerSecond }))
}

/** What the slowest process answered, of an equal share. */
function slowestShare(replicas) {
  const rates = replicas.map(({ queries, seconds }) => queries / seconds)
  return (Math.min(...rates) * rates.length) / rates.reduce((sum, rate) => sum + rate, 0)
}

export function renderReplicas({ machine, settings, summary }) {
  const head = `${machineText(machine)} ef ${settings.ef}, ${settings.seconds} s a round, ${settings.repeat} round(s) of each.`
  const columns = [
    'processes',
    'queries/s',
    'x the first',
    'slowest of an equal share',
    'CPU a query, us',
    'RSS each, MB',
  ]
  const rows = summary.map((row) => [
    row.processes,
    Math.round(row.queriesPerSecond).toLocaleString('en-US'),
    row.timesFirst.toFixed(2),
    row.slowestShare.toFixed(2),
    row.cpuMicrosPerQuery.toFixed(0),
    (row.peakRssBytes / 1e6).toFixed(0),
    ...(row.recall === undefined ? [] : [row.recall.toFixed(4)]),
  ])
  if (summary[0].recall !== undefined) columns.push(`recall@${K}`)
  return ['### Replicas', head, markdownTable(columns, rows)].join('\n\n')
}

/** One replica: opens the index and searches once through all queries; then searches for the given time. */
async function serveAsChild() {
  // Other processes of this bench import this file without a built package.
  const { openIndex } = await import('../dist/src/index.js')
  let search
  process.on('message', async ({ open, search: begin }) => {
    if (open !== undefined) {
      search = await openReplica(open, openIndex)
      process.send('ready')
    }
    if (begin) process.send(search())
  })
}

async function openReplica({ index: dir, queries: file, truth: truthFile, ef, memory, seconds }, openIndex) {
  const { rows: queries } = readVectors(file)
  const index = await openIndex(dir, { preload: true, memory })
  const found = queries.map((query) => index.search(query, { k: K, ef }).map((hit) => Number(hit.id)))
  const recall = truthFile === undefined ? undefined : recallOf(found, readIvecs(truthFile).rows)
  return () => {
    const [start, cpuStart] = [performance.now(), cpuSeconds()]
    let count = 0
    while (performance.now() - start < 1000 * seconds) index.search(queries[count++ % queries.length], { k: K, ef })
    const took = (performance.now() - start) / 1000
    return {
      queries: count,
      seconds: took,
      cpuSeconds: cpuSeconds() - cpuStart,
      peakRssBytes: peakRssBytes(),
      recall,
    }
  }
}

function recallOf(found, truth) {
  const hits = found.reduce((sum, ids, i) => {
    const wanted = new Set(truth[i].subarray(0, K))
    return sum + ids.filter((id) => wanted.has(id)).length
  }, 0)
  return hits / (K * found.length)
}

async function main() {
  if (process.argv.includes('--as-child')) return serveAsChild()
  const { values } = parseArgs({ options: OPTIONS })
  const result = await measureReplicas(values)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(renderReplicas(result))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
