/** Builds over real worker processes: the bytes, and what the report says, are those of a build on one machine. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pipnnEngine } from '../../dist/src/engines/pipnn/pipnn-engine.js'
import type {
  BuildOptions,
  BuildReport,
  FieldSchema,
  ResumableSource,
  VectorRecord,
  VectorSource,
} from '../../dist/src/index.js'
import {
  batches,
  build,
  makeFolder,
  makeRows,
  randomNumbers,
  randomRows,
  records,
  segmentsOf,
  type Built,
  type Rows,
} from '../fixtures/builds.js'
import { some } from '../whole.js'
import { startHost, type Host } from './hosts.js'
import { hasRedis, NO_REDIS, startRedis, type RedisServer } from './redis-server.js'

// Many shards of few rows: 1024 is the least that a plan takes.
const SHARD_MEMBERS = 1200
Object.assign(pipnnEngine, { shardMembers: SHARD_MEMBERS })

const COUNT = 6000
const rows = randomRows(COUNT, 16, 1)
const SCHEMA: FieldSchema = { group: 'keyword', price: 'number', title: 'text' }

/** Begins anywhere, so that the build can be resumed. */
const resumable = (of: Rows): ResumableSource =>
  function* (startAt) {
    let row = 0
    for (const record of records(of)) if (row++ >= startAt) yield record
  }

function* withFields(): Generator<VectorRecord> {
  let row = 0
  for (const record of records(rows, (each) => `id ${each}`)) {
    yield { ...record, fields: { group: `g${row % 20}`, price: row / 4, title: `word ${row % 300}` } }
    row++
  }
}

/** Two thirds of the rows in one spot, and a part of them copies of one vector. */
function crowded(): Rows {
  const random = randomNumbers(5)
  return makeRows(COUNT, 16, (row) => (row % 3 === 0 ? 3 * random() : row % 3 === 1 ? 1 : 1 + 0.01 * random()))
}

interface Case {
  readonly name: string
  readonly source: () => VectorSource | ResumableSource
  readonly options: Partial<BuildOptions>
  readonly check?: (report: BuildReport) => void
}

// Every second one is in the quick suite.
const CASES: readonly Case[] = [
  { name: 'ip, pq, resumable', source: () => resumable(rows), options: { metric: 'ip', quantization: 'pq' } },
  { name: 'l2, f32', source: () => batches(rows), options: {} },
  {
    name: 'cosine, sq8, with fields',
    source: withFields,
    options: { metric: 'cosine', quantization: 'sq8', fields: SCHEMA },
  },
  {
    name: 'cosine, binary',
    source: () => batches(randomRows(3000, 64, 2)),
    options: { metric: 'cosine', quantization: 'binary' },
  },
  {
    name: 'shards that are split, resumable',
    source: () => resumable(crowded()),
    options: {},
    check: ({ events }) => expect(events.map(({ kind }) => kind)).toContain('split-shards'),
  },
  { name: 'another engine', source: () => batches(rows), options: { engine: 'hnswlib-wasm' } },
  {
    name: 'an upper level that goes through the stages again',
    source: () => batches(randomRows(2 * COUNT, 8, 4)),
    options: { m: 4, quantization: 'f16' },
    check: ({ graph }) => expect(graph?.levels[1]).toBeGreaterThan(2 * SHARD_MEMBERS),
  },
  { name: 'one vector', source: () => batches(randomRows(1, 16, 3)), options: {} },
]

describe.skipIf(!hasRedis)(`a build over two hosts${hasRedis ? '' : ` (${NO_REDIS})`}`, () => {
  const sharedDir = makeFolder()
  let redis: RedisServer
  let hosts: Host[] = []
  /** Of all builds. */
  const tasksOf = new Map<string, number>()

  beforeAll(async () => {
    redis = await startRedis()
    // Each host mounts the folder where it likes.
    const elsewhere = join(makeFolder(), 'mounted')
    symlinkSync(sharedDir, elsewhere)
    hosts = [sharedDir, elsewhere].map((folder) => startHost({ url: redis.url, sharedDir: folder }))
  })

  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.stop()))
    await redis.stop()
  })

  const over = async ({ source, options }: Case): Promise<Built> => {
    const path = join(sharedDir, `${Math.random()}.index`)
    return build(source(), { ...options, path, stallSeconds: 60, cluster: { connection: redis.url, sharedDir } })
  }

  it.each(some(CASES, 2))('has the bytes of one machine: $name', async (each) => {
    const local = await build(each.source(), { ...each.options, threads: 1 })
    each.check?.(local.report)
    const remote = await over(each)
    expect(segmentsOf(remote)).toEqual(segmentsOf(local))
    const { hosts: found = [], events } = remote.report
    // A busy machine may make a task slow enough for a second run, which the other host then loses.
    const repeated = events.filter(({ kind }) => kind === 'task-repeated').length
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'task-repeated')
    expect(kinds).toEqual(local.report.events.map(({ kind }) => kind))
    if (repeated === 0) expect(found.map(({ lostTasks }) => lostTasks)).toEqual(found.map(() => 0))
    expect(found.map(({ refused }) => refused)).toEqual(found.map(() => undefined))
    for (const { host, tasks } of found) tasksOf.set(host, (tasksOf.get(host) ?? 0) + tasks)
  })
  it('shares its tasks between both', () => {
    expect([...tasksOf.values()].filter((tasks) => tasks > 0)).toHaveLength(2)
  })
})
