// What fields cost: CPU and memory of a build with five fields beside one without, from the same Parquet files, and the
// time of searches with filters, each when it is new and when it was asked before.
//
//   npm run build && cd bench
//   node fields.mjs [--rows 1000000] [--dimensions 128] [--memory 400MB] [--open-memory 4GB] [--threads 1] [--repeat 3]
//                   [--scratch DIR] [--json FILE]
//
// Builds take turns; medians are printed. A search with a filter takes the filter's time and the search's: both are also
// measured without a filter.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { openIndex } from '../dist/src/index.js'
import { describeMachine } from './machine.mjs'
import { randomStream } from './random.mjs'
import { median } from './search-curve.mjs'
import { buildWithShardloom } from './shardloom-build.mjs'
import { syntheticBlocks } from './synthetic.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    dimensions: { type: 'string', default: '128' },
    memory: { type: 'string', default: '400MB' },
    'open-memory': { type: 'string', default: '4GB' },
    threads: { type: 'string', default: '1' },
    repeat: { type: 'string', default: '3' },
    scratch: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
  },
})
const [ROWS, DIMENSIONS, REPEAT] = [options.rows, options.dimensions, options.repeat].map(Number)
/** Rows of one file: the writer holds a file whole. */
const FILE_ROWS = 20_000
const INTRINSIC = 16
const SEED = 1
const CATEGORIES = 1000
const FIELDS = 'category,tags,price,published,active'
const QUERIES = 200
const DAY = 86_400_000

const say = (name, text) => console.log(`${name.padEnd(46)} ${text}`)

/** Names of the file's columns and their data, in the form of its writer. */
function columnsOf(first, vectors, random) {
  const rows = vectors.map((_, i) => first + i)
  // The square makes low numbers frequent, as categories are.
  const category = () => `category ${Math.floor(random.uniform() ** 2 * CATEGORIES)}`
  return {
    category: rows.map(category),
    tags: rows.map((row) => Array.from({ length: row % 4 }, () => `tag ${Math.floor(random.uniform() * 200)}`)),
    price: rows.map((row) => (row % 20 === 0 ? null : Math.round(random.uniform() * 100_000) / 100)),
    published: rows.map(() => new Date(Date.UTC(2020, 0, 1) + Math.floor(random.uniform() * 2000) * DAY)),
    active: rows.map(() => random.uniform() < 0.5),
    embedding: vectors,
  }
}

const OPTIONAL = { repetition_type: 'OPTIONAL' }
const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
const listOf = (name, element) => [
  { name, ...OPTIONAL, num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', ...OPTIONAL, ...element },
]
const SCHEMA = [
  { name: 'schema', num_children: 6 },
  { name: 'category', ...OPTIONAL, ...TEXT },
  ...listOf('tags', TEXT),
  { name: 'price', ...OPTIONAL, type: 'DOUBLE' },
  { name: 'published', ...OPTIONAL, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  { name: 'active', ...OPTIONAL, type: 'BOOLEAN' },
  ...listOf('embedding', { type: 'FLOAT' }),
]

function writeFiles(folder) {
  const random = randomStream(SEED, 'fields')
  let vectors = []
  let written = 0
  const flush = () => {
    const columns = columnsOf(written, vectors, random)
    const columnData = Object.entries(columns).map(([name, data]) => ({ name, data }))
    const number = String(written / FILE_ROWS).padStart(4, '0')
    const file = parquetWriteBuffer({ columnData, schema: SCHEMA, rowGroupSize: FILE_ROWS })
    writeFileSync(path.join(folder, `part-${number}.parquet`), Buffer.from(file))
    written += vectors.length
    vectors = []
  }
  const shape = { count: ROWS, dimensions: DIMENSIONS, intrinsic: INTRINSIC, seed: SEED, stream: 'base' }
  for (const block of syntheticBlocks(shape)) {
    for (let at = 0; at < block.length; at += DIMENSIONS) {
      vectors.push(Array.from(block.subarray(at, at + DIMENSIONS)))
      if (vectors.length === FILE_ROWS) flush()
    }
  }
  if (vectors.length > 0) flush()
}

async function builds(folder, index) {
  const { memory, threads } = options
  const runs = { without: [], with: [] }
  for (let round = 0; round < REPEAT; round++) {
    for (const [kind, fields] of [
      ['without', undefined],
      ['with', FIELDS],
    ]) {
      rmSync(index, { recursive: true, force: true })
      const flags = { 'vector-column': 'embedding', memory, threads, fields, seed: SEED }
      runs[kind].push(await buildWithShardloom(path.join(folder, '*.parquet'), index, flags))
    }
  }
  const of = (kind, name) => median(runs[kind].map((run) => run[name]))
  for (const kind of ['without', 'with']) {
    say(
      `build ${kind} fields`,
      `${of(kind, 'cpu').toFixed(1)} s CPU, ${of(kind, 'whole').toFixed(1)} s, ` +
        `peak ${(of(kind, 'peakRssBytes') / 1e6).toFixed(0)} MB of ${memory}`,
    )
  }
  const ratio = of('with', 'cpu') / of('without', 'cpu')
  say('CPU with five fields, of without', `${ratio.toFixed(3)}x`)
  return { runs, ratio }
}

/** Each gives the n-th of different filters that keep about as many. */
const FILTERS = {
  'keyword, 1 of 1,000': (n) => ({ category: `category ${n}` }),
  'keyword, 20 of 1,000': (n) => ({
    category: { $in: Array.from({ length: 20 }, (_, i) => `category ${20 * n + i}`) },
  }),
  'item of a list, 1 of 200': (n) => ({ tags: `tag ${n}` }),
  'number, below a bound (50%)': (n) => ({ price: { $lt: 500 + n } }),
  'number, between bounds (1%)': (n) => ({ price: { $gte: 10 * n, $lt: 10 * n + 10 } }),
  'date, since a day (10%)': (n) => ({ published: { $gte: Date.UTC(2020, 0, 1) + (1800 + n) * DAY } }),
  'boolean and number (25%)': (n) => ({ active: true, price: { $lt: 500 + n } }),
  'not a keyword, or missing': (n) => ({
    $or: [{ $not: { category: `category ${n}` } }, { price: { $exists: false } }],
  }),
}
/** Different filters of a kind; at most 64 are kept filled. */
const DIFFERENT = 30

async function searches(index) {
  const open = await openIndex(index, { memory: options['open-memory'], preload: true })
  const queries = []
  const shape = { count: QUERIES, dimensions: DIMENSIONS, intrinsic: INTRINSIC, seed: SEED, stream: 'query' }
  for (const block of syntheticBlocks(shape)) {
    for (let at = 0; at < block.length; at += DIMENSIONS) queries.push(block.slice(at, at + DIMENSIONS))
  }
  const timesOf = (filters) =>
    filters.map((filter, i) => {
      const start = performance.now()
      open.search(queries[i % queries.length], { k: 10, ...(filter && { filter }) })
      return performance.now() - start
    })
  timesOf(queries.map(() => undefined))
  const plain = median(timesOf(queries.map(() => undefined)))
  say('search without a filter', `${plain.toFixed(3)} ms`)
  const found = { plain }
  for (const [name, filterOf] of Object.entries(FILTERS)) {
    // Reads the column; what is timed then is compute.
    timesOf([filterOf(DIFFERENT + 1), filterOf(DIFFERENT + 2)])
    const filters = Array.from({ length: DIFFERENT }, (_, n) => filterOf(n))
    const [fresh, again] = [median(timesOf(filters)), median(timesOf(filters))]
    say(`search, ${name}`, `${fresh.toFixed(3)} ms when new, ${again.toFixed(3)} ms again`)
    found[name] = { fresh, again }
  }
  const start = performance.now()
  open.facets({ field: 'category' })
  say('facets of 1,000 categories', `${(performance.now() - start).toFixed(1)} ms`)
  await open.close()
  return found
}

const folder = mkdtempSync(path.join(options.scratch, 'shardloom-fields-'))
try {
  console.log(JSON.stringify(describeMachine()))
  const files = path.join(folder, 'files')
  mkdirSync(files)
  writeFiles(files)
  say('rows', `${ROWS} x ${DIMENSIONS}, fields ${FIELDS}`)
  const index = path.join(folder, 'index')
  const built = await builds(files, index)
  const searched = await searches(index)
  const result = { machine: describeMachine(), options, ratio: built.ratio, builds: built.runs, searches: searched }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
