/**
 * One build on many hosts, all of them on this machine: Redis, a coordinator, and workers, of which one is killed while
 * it works. The index has the same bytes as one that is built without them.
 *
 *   npx tsx examples/cluster/run.ts [--vectors 60000] [--workers 3]
 *
 * Needs redis-server (Debian's package has this name), and the packages bullmq and ioredis. Exit code 1 when the bytes
 * differ.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildIndex, type BuildOptions, type BuildReport, type ProgressEvent } from 'shardloom'
import { Program } from './programs.ts'
import { startRedis } from './redis.ts'
import { compareIndexes } from './same-bytes.ts'

const { values: flags } = parseArgs({
  options: { vectors: { type: 'string', default: '60000' }, workers: { type: 'string', default: '3' } },
})
const count = Number(flags.vectors)
const DIMENSIONS = 64

const started = performance.now()
const folder = await mkdtemp(path.join(tmpdir(), 'shardloom-cluster-'))
const sharedDir = path.join(folder, 'shared')
const programs: Program[] = []
const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort())

try {
  await mkdir(sharedDir)
  const { redis, port } = await startRedis(path.join(folder, 'redis'))
  programs.push(redis)
  say('redis', `redis-server on 127.0.0.1:${port}, process ${redis.pid}`)

  const local = await build(path.join(folder, 'local.index'), {})
  say('local build', `${local.count} vectors in ${local.seconds.toFixed(1)} s`)

  const connection = `redis://127.0.0.1:${port}`
  const workers = await startWorkers(connection, Number(flags.workers))
  let killed: Program | undefined
  const report = await build(path.join(sharedDir, 'cluster.index'), {
    // So short that the example need not wait for half a minute. Keep the default where a network lies between hosts.
    cluster: { connection, sharedDir, lockSeconds: 3 },
    onProgress: (event) => {
      killed ??= killOne(workers, event)
    },
  })
  if (killed === undefined) throw new Error('the build ended before a worker could be killed: give it more --vectors')
  sayReport(report, killed)

  const indexes = ['local.index', 'shared/cluster.index'].map((name) => path.join(folder, name))
  const { different, files, bytes } = await compareIndexes(indexes[0], indexes[1])
  const compared = `${files} files, ${(bytes / 1e6).toFixed(1)} MB`
  say('bytes', different.length === 0 ? `those of the local build: ${compared}` : `OTHERS in ${different.join(', ')}`)
  process.exitCode = different.length === 0 ? 0 : 1
} finally {
  for (const program of programs.reverse()) await program.end('SIGTERM')
  await rm(folder, { recursive: true, force: true })
}

function say(what: string, text: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${what.padEnd(14)} ${text}`)
}

function sayReport({ events, count, seconds, recallAt10, hosts = [] }: BuildReport, killed: Program): void {
  for (const { kind, message } of events) say(kind, message)
  say('cluster build', `${count} vectors in ${seconds.toFixed(1)} s, recall@10 ${recallAt10}`)
  for (const { host, tasks, busySeconds } of hosts) {
    say(isOf(killed, host) ? 'killed' : 'host', `${host}: ${tasks} tasks, ${busySeconds.toFixed(1)} s of work`)
  }
}

/** The name of a host has the number of its process. */
function isOf({ pid }: Program, host: string): boolean {
  return host.split('-').includes(String(pid))
}

async function build(indexDir: string, options: Partial<BuildOptions>): Promise<BuildReport> {
  return buildIndex((startAt) => articles(startAt), {
    path: indexDir,
    memory: '600MB',
    count,
    sourceFingerprint: `${count} articles`,
    signal: interrupt.signal,
    ...options,
  })
}

/** Vectors around 200 topics, the same each time. */
function* articles(startAt: number): Generator<{ id: number; vector: Float32Array }> {
  for (let id = startAt; id < count; id++) {
    const topic = id % 200
    yield {
      id,
      vector: Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.cos(topic * d) + Math.sin(id * d ** 3)),
    }
  }
}

/** Workers with a thread each, that wait for builds. */
async function startWorkers(connection: string, workers: number): Promise<Program[]> {
  const require = createRequire(import.meta.url)
  const command = path.join(path.dirname(require.resolve('shardloom/package.json')), 'dist/bundle/lib/main.js')
  const hosts = ['--cluster', connection, '--shared-dir', sharedDir]
  return Promise.all(
    Array.from({ length: workers }, async (_, i) => {
      const args = [command, 'worker', ...hosts, '--threads', '1', '--memory', '1GB']
      const worker = new Program(`worker ${i + 1}`, process.execPath, args)
      programs.push(worker)
      await worker.printed(/\n/)
      say(worker.name, `shardloom worker, process ${worker.pid}`)
      return worker
    }),
  )
}

/** The worker that was killed, once a worker could be: while shards are linked. What hosts say is up to a second old. */
function killOne(workers: readonly Program[], { stage, hosts = [] }: ProgressEvent): Program | undefined {
  if (stage !== 'shards') return undefined
  const worker = workers.find((each) => hosts.some(({ host }) => isOf(each, host)))
  if (worker === undefined) return undefined
  worker.child.kill('SIGKILL')
  say(worker.name, 'killed with SIGKILL while shards are linked')
  return worker
}
