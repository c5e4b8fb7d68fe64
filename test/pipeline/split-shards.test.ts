import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { readBatches } from '../../spill/read-batches.js'
import { NO_NODE, type LayerInput, type RoutedLayer } from '../../src/pipeline/layer/layer.js'
import { gridOps } from '../../src/rows/grid-ops.js'
import { cutRecords, type CutTask } from '../../src/tasks/route/cut-task.js'
import { chooseLeaders, type LeadersTask } from '../../src/tasks/route/leaders-task.js'
import { routeVectors, type RouteTask } from '../../src/tasks/route/route-task.js'
import { sampleShard, type SampleTask } from '../../src/tasks/route/sample-task.js'
import { encode, makeRun, memoryRef, randomRows, specOf } from '../fixtures/tasks.js'
import type { PlannedRun } from '../../src/pipeline/run/run.js'
import { splitShards } from '../../src/pipeline/layer/split-shards.js'

const kernel = Kernel.create()
const DIMENSIONS = 8

/** A run whose tasks run here, one after the other. */
function makePlanned(limitBytes: number): PlannedRun {
  const bodies: Record<string, (task: never) => unknown> = {
    sample: (task: SampleTask) => sampleShard(kernel, task),
    cut: (task: CutTask) => cutRecords(kernel, task),
    leaders: (task: LeadersTask) => chooseLeaders(kernel, task),
    route: (task: RouteTask) => routeVectors(kernel, task),
  }
  const outputs = new BufferPool()
  const run = (name: string, task: object): Promise<unknown> => {
    const mark = kernel.mark()
    const result = bodies[name](task as never)
    kernel.release(mark)
    return Promise.resolve(result)
  }
  const tasks = {
    run,
    runInto: async (name: string, task: object, bytes: number): Promise<unknown> => {
      const output = outputs.acquire(bytes)
      return { result: await run(name, { ...task, output }), output, release: () => outputs.release(output) }
    },
    runAll: async (
      items: Iterable<unknown>,
      runOne: (item: unknown) => Promise<unknown>,
      onResult: (result: unknown, item: unknown) => Promise<void>,
    ): Promise<void> => {
      for (const item of items) await onResult(await runOne(item), item)
    },
  }
  return { ...makeRun({}, { limitBytes }), tasks } as unknown as PlannedRun
}

interface Shard {
  readonly homes: number[]
  readonly replicas: number[]
}

/** Routes rows by hand: which ordinals are in which shard. */
async function routedBy(
  { queues }: PlannedRun,
  rows: Float32Array,
  shards: readonly Shard[],
  shardMembers: number,
): Promise<RoutedLayer> {
  const count = rows.length / DIMENSIONS
  const spec = specOf('l2', DIMENSIONS, rows)
  const { bytes: codes } = encode(kernel, spec, rows)
  const homeOfOrdinal = new Uint32Array(count).fill(NO_NODE)
  const push = async (name: string, ordinals: readonly number[], table: Uint8Array) => {
    const rowBytes = table.length / count
    const queue = queues.open<null>(name)
    for (let from = 0; from < ordinals.length; from += 100) {
      const some = ordinals.slice(from, from + 100)
      const bytes = queues.buffers.acquire(some.length * (4 + rowBytes))
      some.forEach((ordinal, i) => {
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(i * (4 + rowBytes), ordinal, true)
        bytes.set(table.subarray(ordinal * rowBytes, (ordinal + 1) * rowBytes), i * (4 + rowBytes) + 4)
      })
      await queue.push({ header: null, count: some.length, bytes })
    }
    return queue
  }
  const homes = []
  const replicas = []
  for (const [i, shard] of shards.entries()) {
    homes.push(await push(`home-${i}`, shard.homes, new Uint8Array(rows.buffer)))
    replicas.push(await push(`replica-${i}`, shard.replicas, codes))
    for (const ordinal of shard.homes) homeOfOrdinal[ordinal] = i
  }
  const geometry = { shardCount: shards.length, overlap: 2, shardMembers }
  return {
    layer: { name: 'base', rowKind: 'vectors', spec, geometry } as unknown as LayerInput,
    shardCount: shards.length,
    homes,
    replicas,
    homeCounts: Uint32Array.from(shards, (shard) => shard.homes.length),
    replicaCounts: Uint32Array.from(shards, (shard) => shard.replicas.length),
    homeOfOrdinal,
    splitShards: 0,
  }
}

/** The ordinals in each shard's queues, ascending, after checking that every record still has its own row. */
async function shardsOf(routed: RoutedLayer, rows: Float32Array): Promise<Shard[]> {
  const { spec } = routed.layer
  const { bytes: codes } = encode(kernel, spec, rows)
  const vectors = new Uint8Array(rows.buffer)
  const read = async (queue: RoutedLayer['homes'][number], table: Uint8Array, rowBytes: number) => {
    const ordinals: number[] = []
    for (const batch of readBatches<null>(await queue.handOff())) {
      const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset)
      for (let i = 0; i < batch.count; i++) {
        const at = i * (4 + rowBytes)
        const ordinal = view.getUint32(at, true)
        const row = table.subarray(ordinal * rowBytes, (ordinal + 1) * rowBytes)
        expect(Buffer.compare(batch.bytes.subarray(at + 4, at + 4 + rowBytes), row)).toBe(0)
        ordinals.push(ordinal)
      }
    }
    return ordinals.sort((a, b) => a - b)
  }
  const shards: Shard[] = []
  for (let i = 0; i < routed.shardCount; i++) {
    shards.push({
      homes: await read(routed.homes[i], vectors, 4 * DIMENSIONS),
      replicas: await read(routed.replicas[i], codes, gridOps(kernel, spec).rowBytes),
    })
  }
  return shards
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

/** 3,000 rows in two shards, each with the other's rows as replicas where `shared`. */
async function split(
  rows: Float32Array,
  { reverse = false, limitBytes = 1e9, shardMembers = 500 } = {},
): Promise<{ shards: Shard[]; routed: RoutedLayer; events: string[] }> {
  const count = rows.length / DIMENSIONS
  const run = makePlanned(limitBytes)
  const cut = count - 200
  const order = (ordinals: number[]): number[] => (reverse ? ordinals.reverse() : ordinals)
  const before = [
    { homes: order(range(0, cut)), replicas: order(range(cut, count)) },
    { homes: order(range(cut, count)), replicas: order(range(0, 100)) },
  ]
  const routed = await splitShards(run, await routedBy(run, rows, before, shardMembers))
  return { shards: await shardsOf(routed, rows), routed, events: run.log.events.map(({ kind }) => kind) }
}

const COUNT = 3000
const spread = randomRows(COUNT, DIMENSIONS, 1)
const same = new Float32Array(COUNT * DIMENSIONS).fill(0.5)
/** Only the last 40 are no copies. */
const mass = Float32Array.from(spread, (x, i) => (i < (COUNT - 40) * DIMENSIONS ? 0.5 : x))
/** So near each other that codes hardly tell them apart. */
const dense = Float32Array.from(spread, (x, i) => (i < (COUNT - 40) * DIMENSIONS ? 0.5 + 2e-4 * x : x))

describe('splitShards', () => {
  it.each([
    ['spread out', spread],
    ['all the same', same],
    ['a mass of copies', mass],
    ['a dense spot', dense],
  ])('%s: no shard above the limit, everybody at home once and nowhere twice', async (_, rows) => {
    const { shards, routed } = await split(rows)
    expect(routed.splitShards).toBe(1)
    expect(shards.length).toBeGreaterThan(4)
    const seen = new Set<number>()
    shards.forEach(({ homes, replicas }, shard) => {
      expect(homes.length + replicas.length).toBeLessThanOrEqual(750)
      expect([homes.length, replicas.length]).toEqual([routed.homeCounts[shard], routed.replicaCounts[shard]])
      expect(new Set([...homes, ...replicas]).size).toBe(homes.length + replicas.length)
      for (const ordinal of homes) {
        expect(routed.homeOfOrdinal[ordinal]).toBe(shard)
        seen.add(ordinal)
      }
    })
    expect(seen.size).toBe(COUNT)
  })

  it('leaves shards within the limit as they are', async () => {
    const { shards, routed, events } = await split(spread, { shardMembers: 2000 })
    expect(routed.splitShards).toBe(0)
    expect(shards.map(({ homes }) => homes.length)).toEqual([2800, 200])
    expect(events).toEqual([])
  })

  it('says that it split', async () => {
    expect((await split(spread)).events).toEqual(['split-shards'])
  })

  it.each([
    ['spread out', spread],
    ['a mass of copies', mass],
    ['a dense spot', dense],
  ])('%s: the same shards in whatever order records come and wherever they lie', async (_, rows) => {
    const { shards } = await split(rows)
    expect((await split(rows, { reverse: true, limitBytes: 20_000 })).shards).toEqual(shards)
  })

  it('puts those who are no copies into every part of a mass, and connects the parts by copies', async () => {
    const { shards } = await split(mass)
    const parts = shards.slice(0, -1)
    for (const { homes, replicas } of parts) {
      const members = [...homes, ...replicas]
      expect(members.filter((ordinal) => ordinal >= COUNT - 40)).toHaveLength(40)
      expect(replicas.some((ordinal) => ordinal < COUNT - 200)).toBe(true)
    }
  })
})

describe('sampleShard', () => {
  const spec = specOf('l2', DIMENSIONS, spread)
  const sampleOf = (order: readonly number[], wanted: number, rows: Float32Array) => {
    const bytes = new Uint8Array(order.length * (4 + 4 * DIMENSIONS))
    order.forEach((row, i) => {
      const vector = new Uint8Array(rows.buffer, row * 4 * DIMENSIONS, 4 * DIMENSIONS)
      bytes.set(vector, i * (4 + 4 * DIMENSIONS) + 4)
    })
    const input = [memoryRef(null, order.length, bytes)]
    return sampleShard(kernel, { shares: [{ input, rowKind: 'vectors' }], spec, wanted, seed: 7 })
  }
  const codesOf = ({ codes, count }: { codes: Uint8Array; count: number }): string[] =>
    Array.from({ length: count }, (_, i) =>
      Buffer.from(codes)
        .subarray(16 * i, 16 * i + 16)
        .toString('hex'),
    )

  it('draws each distinct code once, however many copies it has, in one order for any order of records', () => {
    const rows = Float32Array.from({ length: 900 * DIMENSIONS }, (_, i) => spread[i % (300 * DIMENSIONS)])
    const all = codesOf(sampleOf(range(0, 900), 1000, rows))
    expect(all).toHaveLength(300)
    expect(new Set(all).size).toBe(300)
    for (const wanted of [1, 20, 299]) {
      expect(codesOf(sampleOf(range(0, 900), wanted, rows))).toEqual(all.slice(0, wanted))
      expect(codesOf(sampleOf(range(0, 900).reverse(), wanted, rows))).toEqual(all.slice(0, wanted))
    }
  })

  it('finds the code of more than half of the members, and counts it', () => {
    const rows = spread.slice()
    for (let row = 0; row < 100; row++) rows.set(spread.subarray(0, DIMENSIONS), (2 * row + 1) * DIMENSIONS)
    // The first row and its copies at the odd places.
    expect(sampleOf(range(0, 200), 10, rows).mass?.members).toBe(101)
    expect(sampleOf(range(1, 201), 10, rows).mass).toBeUndefined()
  })
})
