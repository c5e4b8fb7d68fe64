// One build on worker processes of this machine, with a Redis server of its own: what it took, of every process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { clearTimeout, setTimeout } from 'node:timers'
import { redisWork, startRedis } from './redis.mjs'
import { buildInStages, flagWords, MAIN, profileArgs } from './staged-build.mjs'

const READY_MS = 30_000
const ASK_MS = 20
/** A worker that has nothing to do ends at once. */
const END_MS = 10_000

/**
 * @param settings { base, folder: the shared one, out: the index in it, workers, workerFlags, buildFlags, profile }
 * @returns what `buildInStages` returns, with redis: { inBytes, outBytes, commands, peakMemoryBytes }
 */
export async function buildOnWorkers({ base, folder, out, workers, workerFlags, buildFlags, profile }) {
  const redis = await startRedis(folder)
  const started = []
  let built
  try {
    const cluster = { cluster: redis.url, 'shared-dir': folder }
    for (let i = 0; i < workers; i++) started.push(startWorker({ ...cluster, ...workerFlags }, profile))
    await allConnected(redis, started)
    const others = [...started.map(({ pid }) => ({ role: 'worker', pid })), { role: 'redis', pid: redis.pid }]
    const before = await redis.info()
    const measured = await buildInStages(base, out, { ...buildFlags, ...cluster }, { others, profile })
    built = { ...measured, redis: redisWork(before, await redis.info()) }
  } catch (error) {
    await endAll(started, redis)
    throw error
  }
  for (const each of await endAll(started, redis)) if (each.status === 'rejected') throw each.reason
  return built
}

async function endAll(workers, redis) {
  const ended = await Promise.allSettled(workers.map((worker) => worker.stop()))
  await redis.stop()
  return ended
}

function startWorker(flags, profile) {
  const child = spawn(process.execPath, [...profileArgs(profile), MAIN, 'worker', ...flagWords(flags), '--quiet'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (part) => (said += part))
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid,
    hasEnded,
    stop: async () => {
      if (hasEnded()) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      const [code, signal] = await exit
      clearTimeout(timer)
      if (code !== 0) throw new Error(`a worker ended with ${signal ?? `exit code ${code}`} after SIGTERM:\n${said}`)
    },
  }
}

/** Waits until every worker has a connection to Redis: their start is no part of the build. */
async function allConnected(redis, workers) {
  // This question is a connection too.
  const wanted = workers.length + 1
  for (const end = performance.now() + READY_MS; ; await sleep(ASK_MS)) {
    if (workers.some(({ hasEnded }) => hasEnded())) throw new Error('a worker ended before the build began')
    const { connected_clients: clients } = await redis.info()
    if (Number(clients) >= wanted) return
    if (performance.now() > end) throw new Error(`${clients - 1} of ${workers.length} workers connected to Redis`)
  }
}
