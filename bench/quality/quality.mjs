// Is the graph navigable on any data? Every set of sets.mjs in every contender: the share of vectors that find
// themselves, recall@10 of new queries, against exact search, ties counting, and queries/s at equal recall.
//
//   npm run build && cd bench && npm install
//   node quality/quality.mjs [--only 'TEXT;TEXT'] [--contenders balanced,high,hnswlib-node] [--efs 16,64] [--json FILE]
//
// A row with * is below the best peer by more than .005 at ef 64. Queries/s are those at a recall of .95, or at the most
// that all contenders reach: between two ef the logarithm of the speed is taken as linear in recall.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CONTENDERS } from './contenders.mjs'
import { exactAnswers, ownAnswers, recallOf, someRows } from './exact.mjs'
import { SETS } from './sets.mjs'

const K = 10
/** Vectors that are searched for themselves. */
const SELVES = 1000
const PEERS = ['hnswlib-node', 'usearch']
const TOLERANCE = 0.005
const EQUAL_RECALL = 0.95
const TIMED_ROUNDS = 3

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    contenders: { type: 'string', default: 'balanced,high,auto,hnswlib-node' },
    efs: { type: 'string', default: '16,32,64,128,256' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const efs = options.efs.split(',').map(Number)
const contenders = options.contenders.split(',')
const wanted = options.only?.split(';')
const sets = Object.values(SETS).filter(({ name }) => wanted?.some((text) => name.includes(text)) ?? true)

const results = []
for (const set of sets) {
  const { base, queries } = set.rows(Number(options.seed))
  const data = { base, queries, dims: set.dims, metric: set.metric, k: K }
  const answers = exactAnswers(data)
  const selves = someRows(base, set.dims, SELVES)
  // With ip a vector need not be its own nearest: what is nearest is searched for.
  const selfAnswers = ownAnswers({ ...data, queries: selves })
  const row = { set: set.name, results: {} }
  for (const name of contenders) {
    const index = await CONTENDERS[name](data)
    const at = (ef) => ({
      recall: recallOf(answers, (query) => index.search(rowOf(queries, query, set.dims), K, ef)),
      self: recallOf(selfAnswers, (query) => index.search(rowOf(selves, query, set.dims), 1, ef)),
      queriesPerSecond: speedOf(queries.length / set.dims, (query) =>
        index.search(rowOf(queries, query, set.dims), K, ef),
      ),
    })
    row.results[name] = { proof: index.proof, efs: Object.fromEntries(efs.map((ef) => [ef, at(ef)])) }
    await index.close()
  }
  addSpeeds(row)
  results.push(row)
  print(row)
}
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, undefined, 2))

/** The best of some rounds over all queries. */
function speedOf(count, search) {
  let best = 0
  for (let round = 0; round < TIMED_ROUNDS; round++) {
    const started = performance.now()
    for (let query = 0; query < count; query++) search(query)
    best = Math.max(best, (1000 * count) / (performance.now() - started))
  }
  return best
}

/** Adds `equal`, the recall to compare at, and each contender's queries/s there. */
function addSpeeds(row) {
  const all = Object.values(row.results)
  const reached = all.map(({ efs }) => Math.max(...Object.values(efs).map(({ recall }) => recall)))
  row.equal = Math.min(EQUAL_RECALL, ...reached)
  for (const result of all) result.queriesPerSecond = Math.round(speedAt(row.equal, Object.values(result.efs)))
}

/** Points by ascending ef. */
function speedAt(recall, points) {
  const at = points.findIndex((point) => point.recall >= recall)
  if (at === 0) return points[0].queriesPerSecond
  const [a, b] = [points[at - 1], points[at]]
  const share = (recall - a.recall) / (b.recall - a.recall)
  return a.queriesPerSecond * (b.queriesPerSecond / a.queriesPerSecond) ** share
}

function print({ set, results, equal }) {
  console.log(`${set}, queries/s at recall ${equal.toFixed(3)}`)
  const peers = PEERS.filter((name) => name in results)
  for (const [name, { efs, proof, queriesPerSecond }] of Object.entries(results)) {
    const cells = Object.entries(efs).map(
      ([ef, { recall, self }]) => `ef ${ef}: ${recall.toFixed(4)} / ${self.toFixed(4)}`,
    )
    const lost = peers.some((peer) =>
      ['recall', 'self'].some((what) => efs[64]?.[what] < results[peer].efs[64]?.[what] - TOLERANCE),
    )
    console.log(
      `${lost ? '*' : ' '} ${name.padEnd(13)} ${cells.join('   ')}   ${queriesPerSecond}/s${proof === undefined ? '' : `   proof ${proof.toFixed(4)}`}`,
    )
  }
}

function rowOf(rows, row, dims) {
  return rows.subarray(row * dims, (row + 1) * dims)
}
