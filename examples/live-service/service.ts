/**
 * The one process that writes an index, and answers searches: see README.md beside this file.
 *
 *   npx tsx examples/live-service/service.ts --index DIR --dimensions N [--metric cosine] [--port 8080]
 *     [--durability sync|none|MILLISECONDS] [--memory 1GB]
 */
import { parseArgs } from 'node:util'
import { createIndex, liveMetrics, openIndex, PathError, type Durability, type LiveIndex, type Metric } from 'shardloom'
import { metricText, RequestMetrics } from './metrics.ts'
import { addWrites, createApp } from './routes.ts'
import { serveUntilSignal } from './serve.ts'

const { values: flags } = parseArgs({
  options: {
    index: { type: 'string', default: 'service.index' },
    dimensions: { type: 'string', default: '32' },
    metric: { type: 'string', default: 'cosine' },
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: '127.0.0.1' },
    durability: { type: 'string', default: 'sync' },
    memory: { type: 'string', default: '1GB' },
  },
})

const index = await createOrOpen()
const requests = new RequestMetrics()
const app = createApp({
  index,
  requests,
  metrics: () =>
    metricText('shardloom_vectors', 'gauge', 'Vectors that can be found.', index.count) +
    liveMetrics(index.live, index.path),
})
addWrites(app, index)
await serveUntilSignal({
  app,
  port: Number(flags.port),
  host: flags.host,
  close: async () => {
    const { sequence } = index.live
    await index.close()
    console.log(`closed at change ${sequence}`)
  },
})

async function createOrOpen(): Promise<LiveIndex> {
  const options = {
    durability: durabilityOf(flags.durability),
    memory: flags.memory,
    onEvent: ({ kind, message }: { kind: string; message: string }) => console.log(`${kind}: ${message}`),
  }
  try {
    const settings = { dimensions: Number(flags.dimensions), metric: flags.metric as Metric }
    return await createIndex(flags.index, { ...settings, ...options })
  } catch (error) {
    // There is one already.
    if (!(error instanceof PathError)) throw error
    return openIndex(flags.index, { write: true, ...options })
  }
}

function durabilityOf(text: string): Durability {
  return text === 'sync' || text === 'none' ? text : { everyMs: Number(text) }
}
