import { randomBytes } from 'node:crypto'
import os from 'node:os'
import type { WorkerOptions, WorkerSummary } from '../../api/worker.js'
import { decideBudget, readMemoryFacts } from '../../memory/memory-budget.js'
import { resolveWorkerOptions, type ResolvedWorkerOptions } from '../../options/cluster/resolve-worker-options.js'
import { BuildBoard } from '../redis/build-board.js'
import { closeRedis, connectRedis } from '../redis/connect-redis.js'
import { RedisHealth } from '../redis/redis-health.js'
import { settlesWithin } from '../redis/settles-within.js'
import { shownUrl } from '../redis/shown-url.js'
import { ServedBuilds } from './served-builds.js'

const UPDATE_MS = 1000
/** Of a worker that has no build: one that begins waits for as long. */
const IDLE_UPDATE_MS = 200

/**
 * Runs tasks of all builds that want hosts, until `signal` fires, or no build is left for `untilIdleSeconds`. Then it
 * takes no more, ends or gives back what runs, and resolves.
 * @throws InvalidOptionError, MissingPackageError, ClusterError
 */
export async function runWorker(given: WorkerOptions): Promise<WorkerSummary> {
  const options = resolveWorkerOptions(given)
  const { connection, sharedDir, threads, logger } = options
  const { budgetBytes: memoryBytes, warning } = decideBudget(options.memoryBytes, readMemoryFacts())
  if (warning !== undefined) logger.warn(warning)
  const client = await connectRedis(connection, 'a worker')
  const address = shownUrl(connection)
  const health = new RedisHealth(client, {
    onLost: (reason) => {
      logger.warn(`Redis at ${address} is lost (${reason}); tasks go on, and are reported when it is back`)
    },
    onBack: (seconds) => logger.info(`Redis at ${address} is back after ${seconds.toFixed(1)} s`),
  })
  try {
    const host = hostName()
    const size = `${threads} ${threads === 1 ? 'thread' : 'threads'}, ${Math.floor(memoryBytes / 1e6)} MB`
    logger.info(`worker ${host}: ${size}, shared folder ${sharedDir}; waits for builds at ${address}`)
    const facts = { host, sharedDir, client, threads, memoryBytes, logger }
    return await work(new ServedBuilds(facts, new BuildBoard(client)), host, options)
  } finally {
    health.close()
    await closeRedis(client)
  }
}

async function work(
  builds: ServedBuilds,
  host: string,
  { signal, graceSeconds, untilIdleSeconds = Number.POSITIVE_INFINITY }: ResolvedWorkerOptions,
): Promise<WorkerSummary> {
  const startMs = performance.now()
  const told = whenAborted(signal)
  let lastBuildMs = startMs
  try {
    while (signal?.aborted !== true) {
      // While Redis is away an update waits for it.
      await Promise.race([builds.update(), told.promise])
      if (builds.count > 0) lastBuildMs = performance.now()
      if (performance.now() - lastBuildMs >= 1000 * untilIdleSeconds) break
      await settlesWithin(builds.count > 0 ? UPDATE_MS : IDLE_UPDATE_MS, told.promise)
    }
  } finally {
    told.forget()
    await builds.close(graceSeconds)
  }
  const { peakRssBytes, work } = builds
  return { host, seconds: (performance.now() - startMs) / 1000, ...work, peakRssBytes }
}

/** Unique, and one word. */
function hostName(): string {
  return `${os.hostname().replaceAll(/[^\w.-]/g, '-')}-${process.pid}-${randomBytes(3).toString('hex')}`
}

function whenAborted(signal: AbortSignal | undefined): {
  readonly promise: Promise<void>
  readonly forget: () => void
} {
  let onAbort = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    onAbort = resolve
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  return { promise, forget: () => signal?.removeEventListener('abort', onAbort) }
}
