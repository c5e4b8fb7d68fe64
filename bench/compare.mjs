// Shardloom against usearch, hnswlib-node, hnswlib-wasm, zvec and LanceDB on the same vectors, each in a process of its
// own. A peer that is not installed is said and skipped.
//
//   node compare.mjs [--base FILE --queries FILE [--ground-truth FILE.ivecs] --metric l2|cosine|ip] [--name TEXT]
//                    [--synthetic 100000x128 --synthetic-queries 1000 --intrinsic 16 --seed 1] [--quick] [--limit N] [--peers a,b] [--threads N]
//                    [--engine E] [--quality Q] [--memory SIZE] [--repeat N] [--json FILE] [--scratch DIR]
//
// Without --base the vectors are synthetic. Without --ground-truth, and for the first N of a file, exact neighbours are
// computed first. --quick is a part of the vectors, sized for less than two minutes on two slow cores. With --repeat
// the contenders take turns, and medians are printed.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { exactNeighbours } from './ground-truth.mjs'
import { describeMachine } from './machine.mjs'
import { K, median, qpsAtRecall, RECALLS } from './search-curve.mjs'
import { buildWithShardloom } from './shardloom-build.mjs'
import { writeSynthetic } from './synthetic.mjs'
import { renderComparison } from './tables.mjs'
import { readMatrix, shapeOf, writeIvecs, writePrefix } from './vector-files.mjs'

const M = 16
const EF_CONSTRUCTION = 200
const PEERS = ['usearch', 'hnswlib-node', 'hnswlib-wasm', 'zvec', 'lancedb']
/** Without --peers. The others are databases: they do more than hold an index, and take longer. */
const USUAL_PEERS = PEERS.slice(0, 3)
const QUICK_QUERIES = 500
/** Vectors of --quick at most, and components of all of them together. */
const QUICK = { vectors: 10_000, components: 2_000_000 }
/** Of a round of searching, at least. */
const ROUND_MS = { full: 200, quick: 50 }

export const OPTIONS = {
  base: { type: 'string' },
  queries: { type: 'string' },
  'ground-truth': { type: 'string' },
  metric: { type: 'string', default: 'l2' },
  name: { type: 'string' },
  synthetic: { type: 'string', default: '100000x128' },
  'synthetic-queries': { type: 'string', default: '1000' },
  intrinsic: { type: 'string', default: '16' },
  seed: { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
  limit: { type: 'string' },
  peers: { type: 'string', default: USUAL_PEERS.join(',') },
  threads: { type: 'string', default: '2' },
  engine: { type: 'string' },
  quality: { type: 'string' },
  memory: { type: 'string' },
  repeat: { type: 'string', default: '1' },
  json: { type: 'string' },
  scratch: { type: 'string', default: tmpdir() },
}

/** The comparison as data, as it is written to JSON. @param options as of the command line, say: called with each step. */
export async function compare(options, say) {
  const wanted = options.peers.split(',').filter((name) => name !== '')
  for (const peer of wanted) if (!PEERS.includes(peer)) throw new Error(`--peers ${peer}: expected some of ${PEERS}`)
  const peers = []
  for (const peer of wanted) {
    const reason = await whyMissing(peer)
    if (reason === undefined) peers.push(peer)
    else say(`${peer} is skipped: ${reason}`)
  }
  const folder = mkdtempSync(path.join(options.scratch, 'shardloom-bench-'))
  try {
    const { files, ...data } = prepare(options, folder, say)
    const { metric, threads, engine, quality, memory } = options
    const settings = { m: M, efConstruction: EF_CONSTRUCTION, threads: Number(threads), k: K }
    const machine = describeMachine()
    const runs = []
    for (let round = 0; round < Number(options.repeat); round++) {
      for (const contender of ['shardloom', ...peers]) {
        say(`${contender}, run ${round + 1} of ${options.repeat}`)
        const out = path.join(folder, 'index')
        const job = { contender, metric, out, threads: settings.threads, m: M, efConstruction: EF_CONSTRUCTION }
        const roundMs = options.quick ? ROUND_MS.quick : ROUND_MS.full
        const run = contender === 'shardloom' ? runShardloom : runContender
        runs.push({ contender, ...(await run({ ...job, ...files, roundMs }, { engine, quality, memory })) })
        rmSync(out, { recursive: true, force: true })
      }
    }
    const contenders = ['shardloom', ...peers].map((name) => summary(runs.filter((run) => run.contender === name)))
    for (const contender of contenders) contender.vectorsPerSecond = data.count / contender.whole
    return { kind: 'comparison', machine, data, settings, contenders, runs }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Files in `folder` or the given ones, and what they hold. */
function prepare(options, folder, say) {
  const { metric, intrinsic, seed } = options
  const at = (name) => path.join(folder, name)
  const files = { base: options.base, queries: options.queries, truth: options['ground-truth'] }
  let name = options.name ?? (options.base && path.basename(options.base))
  if (options.base === undefined) {
    const [count, dimensions] = options.synthetic.split('x').map(Number)
    const limit = limitOf(options, { count, dims: dimensions })
    const synthetic = { dimensions, intrinsic: Number(intrinsic), seed: Number(seed) }
    say(`writing ${limit} x ${dimensions} synthetic vectors`)
    const queries = options.quick ? QUICK_QUERIES : Number(options['synthetic-queries'])
    Object.assign(files, { base: at('base.fvecs'), queries: at('query.fvecs'), truth: undefined })
    writeSynthetic(files.base, { ...synthetic, count: limit, stream: 'base' })
    writeSynthetic(files.queries, { ...synthetic, count: queries, stream: 'queries' })
    name ??= `synthetic, intrinsic dimension ${intrinsic}`
  } else {
    if (files.queries === undefined) throw new Error('--base needs --queries')
    const shape = shapeOf(files.base)
    const limit = limitOf(options, shape)
    if (limit < shape.count) {
      files.base = at(`base${path.extname(options.base)}`)
      writePrefix(options.base, limit, files.base)
      files.truth = undefined
    }
    if (options.quick && shapeOf(files.queries).count > QUICK_QUERIES) {
      files.queries = at(`query${path.extname(options.queries)}`)
      writePrefix(options.queries, QUICK_QUERIES, files.queries)
      files.truth = undefined
    }
  }
  const { dims, count } = shapeOf(files.base)
  const groundTruth = files.truth === undefined ? 'computed' : 'file'
  if (files.truth === undefined) {
    say('computing exact neighbours')
    files.truth = at('truth.ivecs')
    writeIvecs(files.truth, exactNeighbours(files.base, readMatrix(files.queries), metric, K))
  }
  const queries = shapeOf(files.queries).count
  return { name, count, dims, metric, queries, groundTruth, quick: options.quick, files }
}

function limitOf({ quick, limit }, { count, dims }) {
  const wanted = limit === undefined ? count : Math.min(count, Number(limit))
  return quick ? Math.min(wanted, QUICK.vectors, Math.floor(QUICK.components / dims)) : wanted
}

async function runShardloom(job, flags) {
  const { metric, m, threads } = job
  const { whole, cpu, peakRssBytes, report } = await buildWithShardloom(job.base, job.out, {
    metric,
    m,
    threads,
    ...flags,
  })
  const { curve } = await runContender(job)
  return { whole, cpu, peakRssBytes, indexBytes: report.diskBytes, threads: report.threads, report, curve }
}

/** Why a peer cannot run here, as its process says; undefined when it can. */
async function whyMissing(contender) {
  const child = fork(fileURLToPath(new URL('contender.mjs', import.meta.url)))
  let reason = 'its process ended while the peer was loaded'
  child.on('message', ({ missing }) => (reason = missing))
  child.send({ contender, probe: true })
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  return reason === null ? undefined : reason
}

/** What contender.mjs sends, in one object, and the seconds from its start to the saved index. */
async function runContender(job) {
  const start = performance.now()
  const child = fork(fileURLToPath(new URL('contender.mjs', import.meta.url)), { serialization: 'advanced' })
  const result = {}
  child.on('message', ({ built, curve }) => {
    if (built !== undefined) Object.assign(result, { whole: (performance.now() - start) / 1000, ...built })
    if (curve !== undefined) result.curve = curve
  })
  child.send(job)
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${job.contender} ended with exit code ${code}`)
  return result
}

/** Medians over the runs of one contender; the curve's recall is the median too, for peers with threads vary in it. */
function summary(runs) {
  const [{ contender, version, threads, curve: first }] = runs
  const middle = (of) => (of(runs[0]) === undefined ? null : median(runs.map(of)))
  const curve = first.map(({ ef }, i) => ({
    ef,
    recall: median(runs.map((run) => run.curve[i].recall)),
    qps: median(runs.map((run) => run.curve[i].qps)),
  }))
  return {
    contender,
    version,
    threads,
    whole: middle((run) => run.whole),
    cpu: middle((run) => run.cpu),
    read: middle((run) => run.read),
    add: middle((run) => run.add),
    save: middle((run) => run.save),
    peakRssBytes: middle((run) => run.peakRssBytes),
    indexBytes: middle((run) => run.indexBytes),
    curve,
    qpsAtRecall: RECALLS.map((recall) => ({ recall, ...qpsAtRecall(curve, recall) })),
  }
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS })
  const result = await compare(values, (step) => console.error(step))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(renderComparison(result))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
