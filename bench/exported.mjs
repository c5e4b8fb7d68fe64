// What an exported hnswlib file is worth in hnswlib itself: queries per second at equal recall, one thread, hnswlib-node
// searching Shardloom's graph and its own (M = 16, efConstruction = 200). Rounds of both alternate at each ef, so that a
// busy moment of the machine hits both; medians are printed.
//
//   npm run build && cd bench && npm install
//   node exported.mjs --base base.bvecs --queries query.bvecs --ground-truth gt.ivecs [--metric l2] [--rounds 7]
//                     [--index DIR] [--graph FILE.bin]
//
// --index takes an index of the base rows that is there already, whose ids are the row numbers. --graph keeps hnswlib's
// graph in that file, and takes it from there the next time.
import hnswlib from 'hnswlib-node'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildIndex, exportIndex, openVectorFile } from '../dist/src/index.js'
import { median, qpsAtRecall } from './search-curve.mjs'
import { readIvecs, readVectors } from './vector-files.mjs'

const K = 10
const EFS = [12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
const RECALLS = [0.9, 0.95, 0.98, 0.99]
const M = 16
const EF_CONSTRUCTION = 200
/** A round shorter than this measures the timer and the scheduler. */
const ROUND_MS = 150

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    'ground-truth': { type: 'string' },
    metric: { type: 'string', default: 'l2' },
    rounds: { type: 'string', default: '7' },
    index: { type: 'string' },
    graph: { type: 'string' },
  },
})
for (const name of ['base', 'queries', 'ground-truth']) {
  if (options[name] === undefined) throw new Error(`--${name} FILE is missing`)
}

const { dims, rows } = readVectors(options.queries)
// hnswlib-node takes arrays only; they are made beforehand, not at its cost.
const queries = rows.map((row) => Array.from(row))
const truth = readIvecs(options['ground-truth']).rows.map((row) => new Set(row.subarray(0, K)))
const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-bench-'))
try {
  const contenders = [
    { name: 'exported', index: open(await exported()), curve: [] },
    { name: 'hnswlib', index: open(ownGraph()), curve: [] },
  ]
  for (const ef of EFS) measure(contenders, ef)
  print(contenders)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function exported() {
  const indexDir = options.index ?? path.join(scratch, 'index')
  if (options.index === undefined) {
    const base = await openVectorFile(options.base)
    await buildIndex(base.batches(), { path: indexDir, metric: options.metric, m: M })
  }
  const { out, labels, seconds, bytes } = await exportIndex(indexDir, {
    format: 'hnswlib',
    out: path.join(scratch, 'exported.bin'),
  })
  if (labels !== 'ids') throw new Error(`${indexDir}: its ids are not the row numbers`)
  console.error(`exported ${(bytes / 1e6).toFixed(1)} MB in ${seconds} s`)
  return out
}

function ownGraph() {
  const file = options.graph ?? path.join(scratch, 'graph.bin')
  if (existsSync(file)) return file
  const { rows: base } = readVectors(options.base)
  const index = new hnswlib.HierarchicalNSW(options.metric, dims)
  const start = performance.now()
  index.initIndex(base.length, M, EF_CONSTRUCTION, 100)
  base.forEach((row, label) => index.addPoint(Array.from(row), label))
  console.error(`hnswlib-node built its graph in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  index.writeIndexSync(file)
  return file
}

function open(file) {
  const index = new hnswlib.HierarchicalNSW(options.metric, dims)
  index.readIndexSync(file)
  return index
}

function measure(contenders, ef) {
  // The first pass warms caches, gives the recall, and says how many passes make a round.
  const plans = contenders.map(({ index, curve }) => {
    index.setEf(ef)
    const start = performance.now()
    const found = queries.map((query) => index.searchKnn(query, K).neighbors)
    const passes = Math.max(1, Math.ceil(ROUND_MS / (performance.now() - start)))
    const hits = found.reduce((sum, labels, i) => sum + labels.filter((label) => truth[i].has(label)).length, 0)
    return { index, curve, passes, recall: hits / (K * queries.length), rates: [] }
  })
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { index, passes, rates } of plans) {
      const start = performance.now()
      for (let pass = 0; pass < passes; pass++) for (const query of queries) index.searchKnn(query, K)
      rates.push((1000 * passes * queries.length) / (performance.now() - start))
    }
  }
  for (const { curve, recall, rates } of plans) curve.push({ ef, recall, qps: median(rates) })
}

function print([ours, theirs]) {
  console.log(`| ef | ${[ours, theirs].map(({ name }) => `${name}: recall@${K} | queries/s`).join(' | ')} |`)
  console.log('|---|---|---|---|---|')
  ours.curve.forEach(({ ef, ...point }, i) => {
    const cells = [point, theirs.curve[i]].map(({ recall, qps }) => `${recall.toFixed(4)} | ${qps.toFixed(0)}`)
    console.log(`| ${ef} | ${cells.join(' | ')} |`)
  })
  console.log(`\n| recall@${K} | exported, queries/s | hnswlib, queries/s | ratio |\n|---|---|---|---|`)
  for (const recall of RECALLS) {
    const [a, b] = [ours, theirs].map(({ curve }) => qpsAtRecall(curve, recall))
    const cell = (one) => (one === null ? '-' : `${one.atLeast ? '> ' : ''}${one.qps.toFixed(0)}`)
    const ratio = a === null || b === null ? '-' : (a.qps / b.qps).toFixed(2)
    console.log(`| ${recall} | ${cell(a)} | ${cell(b)} | ${ratio} |`)
  }
}
