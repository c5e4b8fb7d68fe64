// A build whose tasks run on worker processes, beside the local build of the same vectors: seconds of the stages that go
// out, CPU and highest memory of every process, bytes through files and through Redis. Everything runs on this machine,
// in turns; medians are printed. Every index must have the same bytes. Linux only: the figures come from /proc.
//
//   npm run build && npm install bullmq ioredis && cd bench          # redis-server must be installed
//   node cluster.mjs --base base.bvecs [--metric l2] [--workers 1,2] [--threads 1] [--repeat 3] [--limit N]
//                    [--memory 4GB] [--no-resume] [--quantization sq8] [--scratch DIR] [--profile DIR] [--json FILE]
//
// --threads: of each worker, and of the smallest local build; each local build with the threads of all workers together
// is measured too. --profile: CPU profiles of all processes and threads, for one build of each kind.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { buildOnWorkers } from './cluster/cluster-build.mjs'
import { indexDigest } from './cluster/index-digest.mjs'
import { buildInStages } from './cluster/staged-build.mjs'
import { renderCluster } from './cluster/cluster-tables.mjs'
import { summarise } from './cluster/summarise.mjs'
import { describeMachine } from './machine.mjs'
import { numbersOf } from './tables.mjs'
import { shapeOf, writePrefix } from './vector-files.mjs'

const OPTIONS = {
  base: { type: 'string' },
  metric: { type: 'string', default: 'l2' },
  workers: { type: 'string', default: '1,2' },
  threads: { type: 'string', default: '1' },
  repeat: { type: 'string', default: '3' },
  limit: { type: 'string' },
  memory: { type: 'string', default: '4GB' },
  'no-resume': { type: 'boolean', default: false },
  quantization: { type: 'string' },
  scratch: { type: 'string', default: tmpdir() },
  profile: { type: 'string' },
  json: { type: 'string' },
}

async function measure(options) {
  if (options.base === undefined) throw new Error('--base FILE is missing')
  const workers = numbersOf(options.workers, '--workers')
  const [threads] = numbersOf(options.threads, '--threads')
  const scratch = mkdtempSync(path.join(options.scratch, 'shardloom-cluster-'))
  try {
    const machine = describeMachine()
    const base = baseFile(options, scratch)
    const contenders = contendersOf(workers, threads)
    const runs = []
    for (let repeat = 0; repeat < Number(options.repeat); repeat++) {
      for (const contender of contenders) {
        const run = { ...contender, ...(await runOnce(contender, base, scratch, options)) }
        runs.push(run)
        console.error(`${run.name}: ${run.whole.toFixed(1)} s`)
      }
    }
    if (new Set(runs.map(({ digest }) => digest)).size > 1) throw new Error('the indexes do not have the same bytes')
    const { metric, memory, quantization = 'f32' } = options
    const data = { name: path.basename(options.base), ...shapeOf(base), metric }
    const isResumable = !options['no-resume']
    const settings = { workers, threads, memory, isResumable, quantization, repeat: Number(options.repeat) }
    return { kind: 'cluster', machine, data, settings, summary: summarise(runs), runs }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** Local builds first: everything is compared with the first of them. */
export function contendersOf(workers, threads) {
  const local = [...new Set([threads, ...workers.map((count) => count * threads)])]
  return [
    ...local.map((count) => ({ name: `local, ${plural(count, 'thread')}`, workers: 0, threads: count })),
    ...workers.map((count) => ({
      name: `${plural(count, 'worker')} of ${plural(threads, 'thread')}`,
      workers: count,
      threads,
    })),
  ]
}

const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`

async function runOnce({ name, workers, threads }, base, scratch, options) {
  const { metric, memory, quantization, profile } = options
  const folder = mkdtempSync(path.join(scratch, 'shared-'))
  const out = path.join(folder, 'built.index')
  const resume = options['no-resume'] ? false : undefined
  const buildFlags = { metric, memory, quantization, resume, threads: workers === 0 ? threads : 1 }
  const profileDir = profile && path.join(profile, name.replaceAll(/\W+/g, '-'))
  try {
    const built =
      workers === 0
        ? await buildInStages(base, out, buildFlags, { profile: profileDir })
        : await buildOnWorkers({
            ...{ base, folder, out, workers, buildFlags, profile: profileDir },
            workerFlags: { threads, memory },
          })
    return { ...built, digest: indexDigest(out) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The vectors, or the first `limit` of them in a file of their own. */
function baseFile({ base, limit }, scratch) {
  if (limit === undefined || Number(limit) >= shapeOf(base).count) return base
  const prefix = path.join(scratch, `prefix${path.extname(base)}`)
  writePrefix(base, Number(limit), prefix)
  return prefix
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS })
  const result = await measure(values)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(renderCluster(result))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
