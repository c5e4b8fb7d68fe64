// Recall@10 and queries per second, one thread: Shardloom's searcher and hnswlib-node on the same graph (M = 16,
// efConstruction = 200, built by hnswlib-node), and on a Shardloom index when one is given. Rounds of the candidates
// alternate, so that a busy moment of the machine hits all of them; medians are printed.
//
//   npm run build && cd bench && npm install
//   node search.mjs --base base.bvecs --queries query.bvecs --ground-truth gt.ivecs [--index DIR] [--metric l2]
//                   [--graph FILE.bin] [--rounds 7]
//
// --graph keeps hnswlib's graph in that file, and takes it from there the next time.
import hnswlib from 'hnswlib-node'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openIndex } from '../dist/src/live/open-index.js'
import { loadHnswlibGraph } from './hnswlib-graph.mjs'
import { readIvecs, readVectors } from './vector-files.mjs'

const K = 10
const EFS = [16, 32, 64, 128, 256]
const M = 16
const EF_CONSTRUCTION = 200
/** A round shorter than this measures the timer and the scheduler. */
const ROUND_MS = 150

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    'ground-truth': { type: 'string' },
    index: { type: 'string' },
    metric: { type: 'string', default: 'l2' },
    graph: { type: 'string' },
    rounds: { type: 'string', default: '7' },
  },
})
for (const name of ['base', 'queries', 'ground-truth']) {
  if (options[name] === undefined) throw new Error(`--${name} FILE is missing`)
}

const { rows: queries } = readVectors(options.queries)
const truth = readIvecs(options['ground-truth']).rows.map((row) => new Set(row.subarray(0, K)))
const candidates = await openCandidates()
const table = EFS.map((ef) => ({ ef, results: measure(ef) }))
print(table)

async function openCandidates() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-bench-'))
  try {
    const graph = options.graph ?? path.join(scratch, 'graph.bin')
    const peer = hnswlibIndex(graph)
    const arrays = queries.map((query) => Array.from(query))
    const core = loadHnswlibGraph(graph, options.metric)
    const unit = options.metric === 'cosine' ? queries.map(normalised) : queries
    const list = [
      {
        name: 'hnswlib-node',
        // Its API takes arrays only; they are made beforehand, not at its cost.
        prepare: (ef) => peer.setEf(ef),
        search: (i) => peer.searchKnn(arrays[i], K).neighbors,
      },
      {
        name: 'shardloom, same graph',
        prepare: () => {},
        search: (i, ef) => {
          const found = core.search(unit[i], K, ef)
          return core.nodes.slice(0, found)
        },
      },
    ]
    if (options.index === undefined) return list
    const index = await openIndex(options.index, { preload: true })
    const search = (i, ef) => index.search(queries[i], { k: K, ef }).map((hit) => Number(hit.id))
    return [...list, { name: 'shardloom index', prepare: () => {}, search }]
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function hnswlibIndex(file) {
  const { dims, rows } = readVectors(options.base)
  const index = new hnswlib.HierarchicalNSW(options.metric, dims)
  if (existsSync(file)) {
    index.readIndexSync(file)
    return index
  }
  const start = performance.now()
  index.initIndex(rows.length, M, EF_CONSTRUCTION, 100)
  rows.forEach((row, label) => index.addPoint(Array.from(row), label))
  console.error(`hnswlib-node built its graph in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  index.writeIndexSync(file)
  return index
}

function normalised(row) {
  const norm = Math.hypot(...row)
  return row.map((x) => x / norm)
}

function measure(ef) {
  // The first pass warms caches and compilers, gives the recall, and says how many passes make a round.
  const plans = candidates.map((candidate) => {
    candidate.prepare(ef)
    const start = performance.now()
    const hits = queries.reduce((sum, _, i) => sum + candidate.search(i, ef).filter((id) => truth[i].has(id)).length, 0)
    const passes = Math.max(1, Math.ceil(ROUND_MS / (performance.now() - start)))
    return { candidate, passes, recall: hits / (K * queries.length), rates: [] }
  })
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { candidate, passes, rates } of plans) {
      const start = performance.now()
      for (let pass = 0; pass < passes; pass++) for (let i = 0; i < queries.length; i++) candidate.search(i, ef)
      rates.push((1000 * passes * queries.length) / (performance.now() - start))
    }
  }
  return plans.map(({ recall, rates }) => ({ recall, rate: rates.sort((a, b) => a - b)[rates.length >> 1] }))
}

function print(rows) {
  console.log(
    `| ef | ${candidates.map(({ name }) => `${name}: recall@${K} | queries/s`).join(' | ')} | same graph, ratio |`,
  )
  console.log(`|${'---|'.repeat(2 * candidates.length + 2)}`)
  for (const { ef, results } of rows) {
    const cells = results.map(({ recall, rate }) => `${recall.toFixed(4)} | ${rate.toFixed(0)}`)
    console.log(`| ${ef} | ${cells.join(' | ')} | ${(results[1].rate / results[0].rate).toFixed(2)} |`)
  }
}
