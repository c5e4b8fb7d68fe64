// How long single searches take, one by one on one thread: the median, and the time that 99 of 100 keep within. On a busy
// machine the clock shows how long they were kept waiting, so there is CPU time beside it. Everything is in memory, unless
// --demand. --limit: as if a WebAssembly memory ended there, so that an index which fits in one lies in several. --first N:
// the first answers of N fresh processes instead, which read what they need.
//
//   npm run build && cd bench
//   node latency.mjs --index base.index --queries query.fvecs [--memory 16GB] [--ef 64] [--rounds 5] [--limit 100MB]
//                    [--demand] [--first 10]
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseByteSize } from '../dist/src/memory/byte-size.js'
import { openGeneration } from '../dist/src/search/open-generation.js'
import { searchOne } from '../dist/src/search/search-one.js'
import { describeMachine, peakRssBytes } from './machine.mjs'
import { readVectors } from './vector-files.mjs'

const { values: options } = parseArgs({
  options: {
    index: { type: 'string' },
    queries: { type: 'string' },
    memory: { type: 'string', default: '16GB' },
    ef: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '5' },
    limit: { type: 'string' },
    demand: { type: 'boolean', default: false },
    first: { type: 'string' },
    'as-child': { type: 'boolean', default: false },
  },
})
for (const name of ['index', 'queries']) {
  if (options[name] === undefined) throw new Error(`--${name} is missing`)
}
const asked = { k: 10, ef: Number(options.ef), rerank: undefined, filter: undefined }

if (options['as-child']) console.log(JSON.stringify(await firstAnswers()))
else {
  console.log(JSON.stringify(describeMachine()))
  if (options.first === undefined) await latencies()
  else freshProcesses(Number(options.first))
}

async function latencies() {
  const { rows: queries } = readVectors(options.queries)
  const started = performance.now()
  const open = await opened(!options.demand)
  const memories = 1 + open.core.memory.rows.far.reduce((sum, { kernels }) => sum + kernels.length, 0)
  console.log(`opened in ${ms(performance.now() - started)}; ${memories} WebAssembly memories`)
  for (let round = 0; round < Number(options.rounds); round++) {
    const before = process.cpuUsage()
    const [times, cpuTimes] = [[], []]
    for (const query of queries) {
      const [start, cpuStart] = [performance.now(), process.cpuUsage()]
      searchOne(open, query, 0, asked)
      const { user, system } = process.cpuUsage(cpuStart)
      times.push(performance.now() - start)
      cpuTimes.push((user + system) / 1000)
    }
    const { user, system } = process.cpuUsage(before)
    const rate = Math.round(queries.length / ((user + system) / 1e6))
    const both = (all) => `p50 ${ms(percentile(all, 0.5))}, p99 ${ms(percentile(all, 0.99))}`
    console.log(`${both(times)}; of the CPU ${both(cpuTimes)}; ${rate} queries per CPU second`)
  }
  console.log(`peak RSS ${Math.round(peakRssBytes() / 1e6)} MB`)
  await open.close()
}

/** In a process that has done nothing else. */
async function firstAnswers() {
  const { rows: queries } = readVectors(options.queries)
  const times = {}
  const timed = async (name, run) => {
    const [start, before] = [performance.now(), process.cpuUsage()]
    const result = await run()
    const { user, system } = process.cpuUsage(before)
    times[name] = { ms: performance.now() - start, cpuMs: (user + system) / 1000 }
    return result
  }
  const open = await timed('open', () => opened(false))
  await timed('first', () => searchOne(open, queries[0], 0, asked))
  await timed('second', () => searchOne(open, queries[1], 0, asked))
  await open.close()
  return times
}

function freshProcesses(count) {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--as-child']
  const runs = Array.from({ length: count }, () =>
    JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })),
  )
  for (const name of Object.keys(runs[0])) {
    const [clock, cpu] = ['ms', 'cpuMs'].map((unit) => runs.map((run) => run[name][unit]))
    console.log(
      `${name}: median ${ms(percentile(clock, 0.5))}, least ${ms(Math.min(...clock))}; ` +
        `CPU: median ${ms(percentile(cpu, 0.5))}, least ${ms(Math.min(...cpu))}`,
    )
  }
}

function opened(preload) {
  const limit = options.limit === undefined ? undefined : parseByteSize(options.limit, 'limit')
  const limits = limit === undefined ? undefined : { nearLimitBytes: limit, farLimitBytes: limit }
  return openGeneration(options.index, { memory: options.memory, preload }, limits)
}

function percentile(times, share) {
  return times.toSorted((a, b) => a - b)[Math.floor(share * (times.length - 1))]
}

function ms(time) {
  return `${time.toFixed(2)} ms`
}
