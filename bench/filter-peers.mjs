// Searches with a filter on a number, beside LanceDB and zvec over the same rows: recall@10 against exact search of what the
// filter keeps, and milliseconds a query, for filters that keep from half of the rows to a thousandth, at random and by place.
//
//   npm run build && cd bench && npm install
//   node filter-peers.mjs --base base.bvecs --queries query.bvecs [--limit 100000] [--ef 64] [--peers lancedb,zvec]
//                         [--contender NAME] [--count 100]
//
// Each contender runs in a separate process. `price` is a random number, `place` the rank of the row by its distance to a
// row that was drawn: a filter on it keeps a region, near some queries and far from others.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuSeconds, describeMachine } from './machine.mjs'
import { randomStream } from './random.mjs'
import { K } from './search-curve.mjs'
import { readMatrix } from './vector-files.mjs'

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    limit: { type: 'string', default: '100000' },
    count: { type: 'string', default: '100' },
    ef: { type: 'string', default: '64' },
    peers: { type: 'string', default: 'lancedb,zvec' },
    contender: { type: 'string' },
  },
})
const EF = Number(options.ef)
const SHARES = [0.5, 0.1, 0.01, 0.001]
/** Each opens an index of rows with `price` and `place`, and answers a query with `low <= field < high`. */
const CONTENDERS = { shardloom, lancedb, zvec }

if (options.contender === undefined) {
  console.log(JSON.stringify(describeMachine()))
  console.log('| | build, CPU s | filter | kept | recall@10 | ms a query | CPU ms |\n|---|---|---|---|---|---|---|')
  for (const name of ['shardloom', ...options.peers.split(',').filter(Boolean)]) {
    const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--contender', name]
    spawnSync(process.execPath, args, { stdio: 'inherit' })
  }
} else await run(options.contender)

async function run(name) {
  const base = readMatrix(options.base, Number(options.limit))
  const queries = readMatrix(options.queries, Number(options.count))
  const random = randomStream(1, 'filter-peers')
  const price = Float64Array.from({ length: base.count }, () => random.uniform())
  const place = ranksFrom(base, Math.floor(random.uniform() * base.count))
  const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-filters-'))
  try {
    const before = cpuSeconds()
    const search = await CONTENDERS[name](base, { price, place }, path.join(scratch, 'index'))
    const built = (cpuSeconds() - before).toFixed(1)
    for (const [field, values] of Object.entries({ price, place })) {
      for (const share of SHARES) {
        const low = field === 'price' ? 0.3 : 0
        const high = low + share
        const { recall, ms, cpu, kept } = await measure(base, queries, values, [low, high], (query) =>
          search(query, field, low, high),
        )
        console.log(
          `| ${name} | ${built} | ${field}, ${share * 100}% | ${kept} | ${recall.toFixed(3)} | ${ms.toFixed(3)} | ${cpu.toFixed(3)} |`,
        )
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function measure(base, queries, values, [low, high], search) {
  const kept = Array.from(values.keys()).filter((row) => values[row] >= low && values[row] < high)
  let hits = 0
  for (let q = 0; q < queries.count; q++) {
    const query = row(queries, q)
    const exact = kept.map((one) => [squared(query, row(base, one)), one]).sort(([a], [b]) => a - b)
    const nearest = new Set(exact.slice(0, K).map(([, one]) => one))
    hits += (await search(query)).filter((one) => nearest.has(Number(one))).length / nearest.size
  }
  const start = performance.now()
  const cpu = cpuSeconds()
  for (let q = 0; q < queries.count; q++) await search(row(queries, q))
  const took = performance.now() - start
  const spent = 1000 * (cpuSeconds() - cpu)
  return { recall: hits / queries.count, ms: took / queries.count, cpu: spent / queries.count, kept: kept.length }
}

/** The share of rows that are nearer to a row than each. */
function ranksFrom(base, from) {
  const centre = row(base, from)
  const far = Float64Array.from({ length: base.count }, (_, i) => squared(centre, row(base, i)))
  const order = Array.from(far.keys()).sort((a, b) => far[a] - far[b])
  const ranks = new Float64Array(base.count)
  for (const [rank, one] of order.entries()) ranks[one] = rank / base.count
  return ranks
}

async function shardloom(base, { price, place }, folder) {
  const { buildIndex, openIndex } = await import('../dist/src/index.js')
  const { vectors, dims: dimensions } = base
  await buildIndex([{ vectors, dimensions, fields: { price, place } }], {
    path: folder,
    fields: { price: 'number', place: 'number' },
  })
  const index = await openIndex(folder, { preload: true })
  return (query, field, low, high) =>
    index.search(query, { k: K, ef: EF, filter: { [field]: { $gte: low, $lt: high } } }).map(({ id }) => id)
}

async function lancedb(base, { price, place }, folder) {
  const { connect, Index } = await import('@lancedb/lancedb')
  const { Field, FixedSizeList, Float32, Float64, Int32, Table, Vector, makeData } = await import('apache-arrow')
  const { count, dims } = base
  const components = makeData({ type: new Float32(), data: base.vectors.subarray(0, count * dims) })
  const type = new FixedSizeList(dims, new Field('item', new Float32(), true))
  const column = (of, data) => new Vector([makeData({ type: of, data })])
  const rows = new Table({
    id: column(
      new Int32(),
      Int32Array.from({ length: count }, (_, i) => i),
    ),
    price: column(new Float64(), price),
    place: column(new Float64(), place),
    vector: new Vector([makeData({ type, length: count, nullCount: 0, child: components })]),
  })
  const connection = await connect(folder)
  const table = await connection.createTable('bench', rows)
  const config = Index.hnswSq({ distanceType: 'l2', numPartitions: 1, m: 16, efConstruction: 200 })
  await table.createIndex('vector', { config })
  for (const field of ['price', 'place']) await table.createIndex(field, { config: Index.btree() })
  await table.waitForIndex(['vector_idx', 'price_idx', 'place_idx'], 3600)
  return async (query, field, low, high) => {
    const where = `${field} >= ${low} AND ${field} < ${high}`
    const found = await table.vectorSearch(query).ef(EF).where(where).limit(K).select(['id', '_distance']).toArrow()
    return Array.from(found.getChild('id') ?? [])
  }
}

async function zvec(base, { price, place }, folder) {
  const { ZVecCollectionSchema, ZVecCreateAndOpen, ZVecDataType, ZVecIndexType, ZVecInitialize, ZVecMetricType } =
    await import('@zvec/zvec')
  const { count, dims } = base
  ZVecInitialize({ queryThreads: 1, optimizeThreads: 2 })
  const indexed = { indexType: ZVecIndexType.INVERT, enableRangeOptimization: true }
  const schema = new ZVecCollectionSchema({
    name: 'bench',
    vectors: {
      name: 'vector',
      dataType: ZVecDataType.VECTOR_FP32,
      dimension: dims,
      indexParams: { indexType: ZVecIndexType.HNSW, metricType: ZVecMetricType.L2, m: 16, efConstruction: 200 },
    },
    fields: ['price', 'place'].map((name) => ({ name, dataType: ZVecDataType.DOUBLE, indexParams: indexed })),
  })
  const collection = ZVecCreateAndOpen(folder, schema)
  for (let from = 0; from < count; from += 1000) {
    const documents = Array.from({ length: Math.min(1000, count - from) }, (_, i) => ({
      id: String(from + i),
      vectors: { vector: row(base, from + i) },
      fields: { price: price[from + i], place: place[from + i] },
    }))
    const failed = collection.insertSync(documents).find(({ ok }) => !ok)
    if (failed !== undefined) throw new Error(`zvec refused a document: ${failed.message}`)
  }
  collection.optimizeSync({ concurrency: 2 })
  const params = { indexType: ZVecIndexType.HNSW, ef: EF }
  return (vector, field, low, high) => {
    const filter = `${field} >= ${low} and ${field} < ${high}`
    const asked = { fieldName: 'vector', vector, topk: K, outputFields: [], params, filter }
    return collection.querySync(asked).map(({ id }) => id)
  }
}

function row({ vectors, dims }, i) {
  return vectors.subarray(i * dims, (i + 1) * dims)
}

function squared(a, b) {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += (a[d] - b[d]) ** 2
  return sum
}
