// What words cost: CPU, memory and size of the inverted index of one text field, and the time of a search.
//
//   npm run build && cd bench
//   node text.mjs [--documents 100000] [--memory MIB] [--scratch DIR] [--sqlite DIR]
//
// --memory: of the table of words while the index is written (32). --sqlite: a folder in which `npm install
// node-sqlite3-wasm` was run; its FTS5 is then measured with the same texts and queries, in a process of its own.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuSeconds, describeMachine, peakRssBytes } from './machine.mjs'
import { zipfTexts } from './zipf-texts.mjs'

const { values: options } = parseArgs({
  options: {
    documents: { type: 'string', default: '100000' },
    memory: { type: 'string', default: '32' },
    scratch: { type: 'string', default: tmpdir() },
    sqlite: { type: 'string' },
    contender: { type: 'string' },
  },
})
const DOCUMENTS = Number(options.documents)
const VOCABULARY = 80_000
const QUERIES = 100
const K = 10
/** Rows of fields are made for so many documents at once. */
const BATCH = 20_000

const say = (name, text) => console.log(`${name.padEnd(34)} ${text}`)
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

/** [what, queries, whether the last word is a beginning] */
function queriesOf(texts) {
  const beginnings = texts.ranked(QUERIES, 1, 100, 20_000).map((word) => word.slice(0, 3))
  return [
    ['one word of ranks 10 to 2,000', texts.ranked(QUERIES, 1, 10, 2000), false],
    ['two of them', texts.ranked(QUERIES, 2, 10, 2000), false],
    ['three of them', texts.ranked(QUERIES, 3, 10, 2000), false],
    ['three words, as often as in texts', texts.alike(QUERIES, 3, 'queries'), false],
    ['the five most frequent, one by one', texts.words.slice(0, 5), false],
    ['three letters that words begin with', beginnings, true],
    ['two words, the last a beginning', texts.ranked(QUERIES, 2, 10, 2000), true],
  ]
}

/** CPU of each query in the second of two passes: other processes on the machine do not count. */
function measureQueries(texts, search) {
  for (const [name, queries, prefix] of queriesOf(texts)) {
    const times = []
    for (let pass = 0; pass < 2; pass++) {
      for (const query of queries) {
        const before = cpuSeconds()
        search(query, prefix)
        if (pass === 1) times.push(1000 * (cpuSeconds() - before))
      }
    }
    times.sort((a, b) => a - b)
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length
    say(
      name,
      `median ${times[times.length >>> 1].toFixed(2)}, mean ${mean.toFixed(2)}, most ${times.at(-1).toFixed(1)} ms`,
    )
  }
}

async function measureOwn(folder) {
  const { FieldCodec } = await import('../dist/src/fields/field-codec.js')
  const { SegmentBlocks } = await import('../dist/src/format/segment/segment-blocks.js')
  const { segmentFileName } = await import('../dist/src/format/segment/segment-file.js')
  const { fieldsHeader } = await import('../dist/src/format/segment/segment-header.js')
  const { writeSegment } = await import('../dist/src/format/segment/write-segment.js')
  const { writeText } = await import('../dist/src/pipeline/fields/write-text.js')
  const { Queues } = await import('../dist/src/pipeline/run/queues.js')
  const { planText } = await import('../dist/src/search/fields/text/plan-text.js')
  const { searchText } = await import('../dist/src/search/fields/text/search-text.js')
  const { TextIndex } = await import('../dist/src/search/fields/text/text-index.js')

  const texts = zipfTexts(VOCABULARY)
  const fields = [{ name: 'text', type: 'text' }]
  const codec = new FieldCodec(fields)
  const shape = { dimensions: 1, m: 16, quantization: 'f32' }
  const files = []
  for (let firstNode = 0; firstNode < DOCUMENTS; firstNode += BATCH) {
    const count = Math.min(BATCH, DOCUMENTS - firstNode)
    const records = Array.from({ length: count }, (_, i) => ({ text: texts.text(firstNode + i) }))
    const { offsets, bytes } = codec.encodeRecords(records, firstNode)
    const data = Buffer.concat([new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), bytes])
    const header = fieldsHeader({ firstNode, count, dimensions: 1, dataBytes: data.length })
    files.push(await writeSegment(path.join(folder, segmentFileName('fields', files.length)), header, data))
  }
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  const begin = cpuSeconds()
  const queues = new Queues({ directory: folder, limitBytes: 2 ** 26, batchBytes: 2 ** 16, isResumable: false })
  const run = { options: {}, paths: { generationDir: folder }, queues }
  const written = await writeText(
    run,
    { fields, count: DOCUMENTS, dimensions: 1, files },
    Number(options.memory) * 2 ** 20,
  )
  const cpu = cpuSeconds() - begin
  const grown = Math.max(0, peakRssBytes() - before)
  const bytes = written.reduce((sum, file) => sum + file.bytes, 0)
  say('own: building', `${cpu.toFixed(2)} s CPU, ${megabytes(bytes)}, memory grew by ${megabytes(grown)} at most`)
  for (const { kind, bytes } of written) say(`  ${kind}`, megabytes(bytes))

  const open = (kind) => {
    const file = written.find((one) => one.kind === kind)
    return SegmentBlocks.open(path.join(folder, file.name), file, shape)
  }
  const part = new TextIndex({ terms: open('terms'), postings: open('postings'), lengths: open('column') }, DOCUMENTS)
  say('  terms', `${part.size} different ones, ${part.tokens} in all`)
  measureQueries(texts, (text, prefix) => searchText([{ part, plan: planText([part], { text, prefix }) }], K))
}

function measureFts5(folder) {
  const require = createRequire(path.join(path.resolve(options.sqlite), 'here.js'))
  const { Database } = require('node-sqlite3-wasm')
  const texts = zipfTexts(VOCABULARY)
  const all = Array.from({ length: DOCUMENTS }, (_, i) => texts.text(i))
  globalThis.gc?.()
  const file = path.join(folder, 'texts.db')
  const before = process.memoryUsage.rss()
  const begin = cpuSeconds()
  const database = new Database(file)
  // Without a journal and syncs, without a copy of the texts: the fastest that it can be.
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768')
  database.exec("CREATE VIRTUAL TABLE texts USING fts5(text, content = '')")
  database.exec('BEGIN')
  const insert = database.prepare('INSERT INTO texts(rowid, text) VALUES (?, ?)')
  for (const [i, text] of all.entries()) insert.run([i + 1, text])
  insert.finalize()
  database.exec("COMMIT; INSERT INTO texts(texts) VALUES ('optimize')")
  const cpu = cpuSeconds() - begin
  const grown = Math.max(0, peakRssBytes() - before)
  const size = megabytes(statSync(file).size)
  say('FTS5: building', `${cpu.toFixed(2)} s CPU, ${size}, memory grew by ${megabytes(grown)} at most`)
  const select = database.prepare(
    'SELECT rowid, bm25(texts) AS rank FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?',
  )
  measureQueries(texts, (query, prefix) => {
    const words = query.split(' ').map((word) => `"${word}"`)
    return select.all([words.join(' OR ') + (prefix ? '*' : ''), K])
  })
  select.finalize()
  database.close()
}

if (options.contender === undefined) {
  console.log(JSON.stringify(describeMachine()))
  say('documents', `${DOCUMENTS} of 12 to 60 words of ${VOCABULARY}; ${QUERIES} queries of each kind, k = ${K}`)
  for (const contender of options.sqlite === undefined ? ['own'] : ['own', 'fts5']) {
    const self = fileURLToPath(import.meta.url)
    const args = ['--expose-gc', self, ...process.argv.slice(2), '--contender', contender]
    execFileSync(process.execPath, args, { stdio: 'inherit' })
  }
} else {
  mkdirSync(options.scratch, { recursive: true })
  const folder = mkdtempSync(path.join(options.scratch, 'shardloom-text-'))
  try {
    if (options.contender === 'own') await measureOwn(folder)
    else measureFts5(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
