// What compact codes cost and give: one index for each quantization, built from the same vectors, and searched on one thread.
// For each the bytes that a search walks on, recall@10 and queries per second. Rounds of the quantizations alternate, so that a
// busy moment of the machine hits all of them; medians are printed. Queries per second of processor time.
//
//   npm run build && cd bench
//   node codes.mjs --base base.npy --queries query.npy --ground-truth gt.ivecs --metric cosine
//                  [--quantizations f32,f16,sq8,pq,binary] [--ef 16,32,64,128] [--rerank N] [--rounds 5] [--keep DIR]
//
// --keep leaves the indexes in DIR, and takes them from there the next time.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildIndex, openIndex, openVectorFile, readManifest } from '../dist/src/index.js'
import { readIvecs, readVectors } from './vector-files.mjs'

const K = 10

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    'ground-truth': { type: 'string' },
    metric: { type: 'string', default: 'l2' },
    quantizations: { type: 'string' },
    ef: { type: 'string', default: '16,32,64,128' },
    rerank: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    keep: { type: 'string' },
  },
})
for (const name of ['base', 'queries', 'ground-truth']) {
  if (options[name] === undefined) throw new Error(`--${name} FILE is missing`)
}
const quantizations = (options.quantizations ?? `f32,f16,sq8,pq${options.metric === 'cosine' ? ',binary' : ''}`).split(
  ',',
)
const efs = options.ef.split(',').map(Number)
const { rows: queries } = readVectors(options.queries)
const truth = readIvecs(options['ground-truth']).rows.map((row) => new Set(row.subarray(0, K)))

const root = options.keep ?? mkdtempSync(path.join(tmpdir(), 'shardloom-bench-'))
mkdirSync(root, { recursive: true })
try {
  const indexes = []
  for (const quantization of quantizations) indexes.push(await open(quantization))
  for (const { quantization, walked, share, seconds, codesSeconds } of indexes) {
    const built = seconds === undefined ? '' : `; built in ${seconds} s, ${codesSeconds} s of it for the codes`
    console.log(`${quantization}: a search walks on ${walked} bytes, 1/${share} of f32${built}`)
  }
  console.log(`\n| ef | ${quantizations.join(' | ')} |\n|---|${quantizations.map(() => '---|').join('')}`)
  for (const ef of efs) console.log(`| ${ef} | ${measure(indexes, ef).join(' | ')} |`)
  for (const { index } of indexes) await index.close()
} finally {
  if (options.keep === undefined) rmSync(root, { recursive: true })
}

async function open(quantization) {
  const at = path.join(root, `${quantization}.index`)
  let report
  if (!existsSync(at)) {
    const base = await openVectorFile(options.base)
    report = await buildIndex(base.batches(), { path: at, metric: options.metric, quantization })
  }
  const { segments } = (await readManifest(at)).manifest
  const bytesOf = (kind) => segments.filter((one) => one.kind === kind).reduce((sum, { bytes }) => sum + bytes, 0)
  const walked = bytesOf(quantization === 'f32' ? 'vectors' : 'codes')
  return {
    quantization,
    walked,
    share: (bytesOf('vectors') / walked).toFixed(2),
    seconds: report?.seconds.toFixed(2),
    codesSeconds: (report?.stages.find(({ name }) => name === 'codes')?.seconds ?? 0).toFixed(2),
    index: await openIndex(at, { preload: true }),
  }
}

function measure(indexes, ef) {
  const rerank = options.rerank === undefined ? undefined : Number(options.rerank)
  const asked = { k: K, ef, rerank }
  const rates = indexes.map(() => [])
  const recalls = indexes.map(({ index }) => recallOf(index, asked))
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [i, { index }] of indexes.entries()) {
      const before = process.cpuUsage()
      for (const query of queries) index.search(query, asked)
      const { user, system } = process.cpuUsage(before)
      rates[i].push(queries.length / ((user + system) / 1e6))
    }
  }
  return recalls.map((recall, i) => `${recall.toFixed(4)}, ${Math.round(median(rates[i])).toLocaleString('en')}/s`)
}

function recallOf(index, asked) {
  let found = 0
  for (const [i, query] of queries.entries()) {
    for (const { id } of index.search(query, asked)) if (truth[i].has(Number(id))) found++
  }
  return found / (K * queries.length)
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}
