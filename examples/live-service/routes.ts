/** What the service and its replicas answer, as a Hono app: reading here, changing in `addWrites`. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ShardloomError, type LiveIndex, type VectorIndex } from 'shardloom'
import type { RequestMetrics } from './metrics.ts'

const MOST_BODY_BYTES = 16 * 2 ** 20
/** Changes that may wait at once. More are refused with 503: a client waits, not the memory of the service. */
const MOST_WAITING = 64

/** A request that can never succeed. */
class BadRequest extends Error {}
/** A request that may succeed later. */
class Busy extends Error {}

/** The last one: what `GET /compact` says. */
export interface Compaction {
  readonly state: 'none' | 'running' | 'done' | 'failed'
  /** Undefined when there was nothing to compact. */
  readonly generation?: string
  readonly count?: number
  readonly recallAt10?: number
  readonly seconds?: number
  readonly error?: string
}

export interface Served {
  readonly index: VectorIndex
  readonly requests: RequestMetrics
  /** More lines for `/metrics`. */
  readonly metrics: () => string
  /** Why it should get no requests now; undefined when it is well. */
  readonly unwell?: () => string | undefined
}

export function createApp({ index, requests, metrics, unwell }: Served): Hono {
  const app = new Hono()
  app.use(requests.measure)
  app.use(bodyLimit({ maxSize: MOST_BODY_BYTES }))
  app.onError((error, c) => {
    const status = statusOf(error)
    if (status >= 500) console.error(error)
    if (status === 503) c.header('retry-after', '1')
    return c.json({ error: error.message, ...(error instanceof ShardloomError && { code: error.code }) }, status)
  })

  app.get('/health', (c) => {
    const problem = unwell?.()
    const { count, generation } = index
    return c.json({ ok: problem === undefined, count, generation, problem }, problem === undefined ? 200 : 503)
  })
  app.get('/metrics', (c) => c.text(requests.text() + metrics()))

  /** { vector, k?, ef? } -> { hits: [{ id, distance }] }, nearest first. */
  app.post('/search', async (c) => {
    const { vector, k, ef } = objectOf(await bodyOf(c.req))
    const options = { k: k as number | undefined, ef: ef as number | undefined }
    return c.json({ hits: index.search(vectorOf(vector), options) })
  })
  app.get('/vectors/:id', (c) => {
    const found = index.get(c.req.param('id'))
    if (found === undefined) return c.json({ error: 'no such id' }, 404)
    return c.json({ id: found.id, vector: Array.from(found.vector) })
  })
  return app
}

/** Routes of the one process that has the index open for writing. An answer of 200 says: as safe as `durability` says. */
export function addWrites(app: Hono, index: LiveIndex): void {
  let waiting = 0
  async function inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    if (waiting >= MOST_WAITING) throw new Busy(`${waiting} changes wait already`)
    waiting++
    try {
      return await change()
    } finally {
      waiting--
    }
  }

  /** { records: [{ id, vector }] } -> { count, sequence }. */
  app.post('/upsert', async (c) => {
    const { records } = objectOf(await bodyOf(c.req))
    const given = arrayOf(records, 'records').map((record) => {
      const { id, vector } = objectOf(record)
      return { id: idOf(id), vector: vectorOf(vector) }
    })
    return c.json(await inTurn(() => index.upsert(given)))
  })
  /** { ids } -> { count, sequence }; count: how many there were. */
  app.post('/delete', async (c) => {
    const { ids } = objectOf(await bodyOf(c.req))
    const given = arrayOf(ids, 'ids').map(idOf)
    return c.json(await inTurn(() => index.delete(given)))
  })
  let compaction: Compaction = { state: 'none' }
  async function compact(): Promise<void> {
    compaction = { state: 'running' }
    try {
      const { generation, count, recallAt10, seconds } = (await index.compact()) ?? {}
      compaction = { state: 'done', generation, count, recallAt10, seconds }
    } catch (error) {
      compaction = { state: 'failed', error: (error as Error).message }
    }
  }
  /** Starts one, unless one runs. It takes minutes, so the answer does not wait for it. */
  app.post('/compact', (c) => {
    if (compaction.state !== 'running') void compact()
    return c.json(compaction, 202)
  })
  app.get('/compact', (c) => c.json(compaction))
}

function statusOf(error: unknown): ContentfulStatusCode {
  if (error instanceof BadRequest) return 400
  if (error instanceof Busy) return 503
  if (!(error instanceof ShardloomError)) return 500
  if (error.kind === 'input') return 400
  // A full disk, a log that failed, an index that is being closed: the same change may succeed later.
  return error.kind === 'resources' || error.code === 'SHARDLOOM_INDEX_CLOSED' ? 503 : 500
}

async function bodyOf(request: { json(): Promise<unknown> }): Promise<unknown> {
  try {
    return await request.json()
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadRequest(`the body is no JSON: ${error.message}`)
    throw error
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new BadRequest('the body is an object, and so is each record')
  return value as Record<string, unknown>
}

function arrayOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new BadRequest(`${name} is an array`)
  return value
}

/** An id is text here: `/vectors/7` could not tell 7 from "7". */
function idOf(value: unknown): string {
  if (typeof value !== 'string') throw new BadRequest('an id is text')
  return value
}

/** The library checks its length and its numbers. */
function vectorOf(value: unknown): number[] {
  return arrayOf(value, 'vector') as number[]
}
