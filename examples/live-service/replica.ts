/**
 * A process that reads the same index, and answers searches: as many as there are cores. It sees a change when it
 * refreshes.
 *
 *   npx tsx examples/live-service/replica.ts --index DIR [--port 8081] [--refresh MILLISECONDS]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openIndex } from 'shardloom'
import { metricText, RequestMetrics } from './metrics.ts'
import { createApp } from './routes.ts'
import { serveUntilSignal } from './serve.ts'

const { values: flags } = parseArgs({
  options: {
    index: { type: 'string', default: 'service.index' },
    port: { type: 'string', default: '8081' },
    host: { type: 'string', default: '127.0.0.1' },
    refresh: { type: 'string', default: '1000' },
    memory: { type: 'string', default: '1GB' },
  },
})
const everyMs = Number(flags.refresh)
/** A replica that has not refreshed for so long should get no requests. */
const mostAgeMs = Math.max(30_000, 10 * everyMs)

const index = await openIndex(flags.index, { memory: flags.memory })
const requests = new RequestMetrics()
let refreshedAt = performance.now()
let failures = 0
const ended = new AbortController()
const refreshing = refreshUntilEnd()

const ageMs = (): number => performance.now() - refreshedAt
const app = createApp({
  index,
  requests,
  metrics: () =>
    metricText('shardloom_vectors', 'gauge', 'Vectors that can be found.', index.count) +
    metricText('refresh_age_seconds', 'gauge', 'Since the last refresh that succeeded.', ageMs() / 1000) +
    metricText('refresh_failures_total', 'counter', 'Refreshes that failed.', failures),
  unwell: () => (ageMs() > mostAgeMs ? `not refreshed for ${Math.round(ageMs() / 1000)} s` : undefined),
})
await serveUntilSignal({
  app,
  port: Number(flags.port),
  host: flags.host,
  close: async () => {
    ended.abort()
    await refreshing
    await index.close()
  },
})

/** One refresh after another: a slow one is never overtaken. */
async function refreshUntilEnd(): Promise<void> {
  while (!ended.signal.aborted) {
    try {
      await sleep(everyMs, undefined, { signal: ended.signal })
      await index.refresh()
      refreshedAt = performance.now()
    } catch (error) {
      if (ended.signal.aborted) return
      // What it had open goes on answering, until it is too old.
      failures++
      console.error(error)
    }
  }
}
