/** The contract of ShardEngine. engines.test.ts runs this for every engine. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { EngineParams, Shard, ShardEngine, ShardGraph } from '../../src/engines/shard-engine.js'
import type { ThreadJob } from './build-in-thread.js'
import { PARAMS, beamSearch, distancesOf, exactDistance, putShard, randomRows } from '../fixtures/shards.js'

export function testConformance(engine: ShardEngine): void {
  const build = (
    rows: Int16Array,
    gridDims: number,
    params: Partial<EngineParams> = {},
    kind: Shard['kind'] = 'i16',
  ): Promise<ShardGraph> => {
    const kernel = Kernel.create()
    return engine.build(kernel, putShard(kernel, rows, gridDims, kind), { ...PARAMS, ...params })
  }

  describe.each(['i16', 'f32'] as const)('%s rows', (kind) => {
    test('rows are in range, nearest first, without self or repeats, with exact distances', async () => {
      const rows = randomRows(700, 24, 3)
      expectValid(await build(rows, 24, {}, kind), rows, 24, PARAMS.maxDegree, kind)
    })

    test('beam search over the graph finds 90% of the true 10 nearest', async () => {
      const rows = randomRows(2000, 16, 5)
      const graph = await build(rows, 16, {}, kind)
      expect(recallAt10(graph, rows, 16)).toBeGreaterThanOrEqual(0.9)
    })

    test('identical members have rows of distance 0', async () => {
      const rows = new Int16Array(50 * 8).fill(7)
      const graph = await build(rows, 8, {}, kind)
      expectValid(graph, rows, 8, PARAMS.maxDegree, kind)
      expect(graph.neighbours.length).toBeGreaterThan(0)
      expect(new Set(graph.distanceWords)).toEqual(new Set([0]))
    })

    test('17 identical members among others are valid rows', async () => {
      const rows = randomRows(217, 8, 9)
      for (let member = 40; member < 57; member++) rows.copyWithin(member * 8, 0, 8)
      expectValid(await build(rows, 8, {}, kind), rows, 8, PARAMS.maxDegree, kind)
    })
  })

  test.each([2, 3, 5, 15])('a shard of %i members, fewer than m, is linked as a whole', async (count) => {
    const rows = randomRows(count, 8, count)
    const graph = await build(rows, 8)
    expectValid(graph, rows, 8, PARAMS.maxDegree, 'i16')
    expect(reachable(graph)).toBe(count)
  })

  test('a shard of one member has one empty row', async () => {
    const graph = await build(randomRows(1, 8, 1), 8)
    expect([...graph.offsets]).toEqual([0, 0])
    expect(graph.neighbours.length).toBe(0)
    expect(graph.distanceWords.length).toBe(0)
  })

  test('the extremes of i16 give exact distances up to the largest norm', async () => {
    // Squared norms on the grid are below 5e8: opposite vectors of that norm are 2e9 apart.
    const rows = new Int16Array(16)
    rows[0] = 22_360
    rows[8] = -22_360
    const graph = await build(rows, 8)
    expect([...graph.distanceWords]).toEqual([44_720 ** 2, 44_720 ** 2])
  })

  test.each([1, 4, 12])('maxDegree %i cuts rows to their nearest', async (maxDegree) => {
    const rows = randomRows(300, 8, 11)
    const cut = await build(rows, 8, { maxDegree })
    const whole = await build(rows, 8)
    expectValid(cut, rows, 8, maxDegree, 'i16')
    for (let member = 0; member < 300; member++) {
      const from = whole.offsets[member]
      const wholeRow = whole.neighbours.subarray(from, whole.offsets[member + 1])
      expect(rowOf(cut, member)).toEqual([...wholeRow.subarray(0, maxDegree)])
    }
  })

  test.each([4, 48])('m = %i builds valid rows', async (m) => {
    const rows = randomRows(400, 16, 13)
    expectValid(await build(rows, 16, { m, maxDegree: 2 * m }), rows, 16, 2 * m, 'i16')
  })

  describe('the graph is a function of shard, parameters and seed', () => {
    // Hard enough that the engine's random choices show in the graph. The first test proves this for the others.
    const HARD = { count: 1500, gridDims: 64, seed: 17 }
    const rows = randomRows(HARD.count, HARD.gridDims, HARD.seed)

    test('another seed gives another graph', async () => {
      expect(await build(rows, 64, { seed: 2 })).not.toEqual(await build(rows, 64, { seed: 1 }))
    })

    test('whatever was built in between', async () => {
      const first = await build(rows, 64)
      await build(randomRows(333, 40, 19), 40, { m: 8, seed: 77, maxDegree: 16 })
      expect(await build(rows, 64)).toEqual(first)
    })

    test('when builds overlap in one thread', async () => {
      const other = randomRows(500, 64, 23)
      const apart = [await build(rows, 64), await build(other, 64)]
      expect(await Promise.all([build(rows, 64), build(other, 64)])).toEqual(apart)
    })

    test('in a fresh thread, in a used one and in this one', async () => {
      const job = { engine: engine.name, gridDims: 64 }
      const fresh = await lastGraphOfThread({ ...job, shards: [HARD] })
      const used = await lastGraphOfThread({ ...job, shards: [{ count: 500, seed: 23 }, HARD] })
      expect(used).toEqual(fresh)
      expect(await build(rows, 64)).toEqual(fresh)
    })
  })

  test('a seed above 2^31 is a seed like any other', async () => {
    const rows = randomRows(300, 8, 29)
    expectValid(await build(rows, 8, { seed: 0xffffffff }), rows, 8, PARAMS.maxDegree, 'i16')
  })

  test('the grid rows are unchanged, and of kernel memory only the graph is kept', async () => {
    const kernel = Kernel.create()
    const rows = randomRows(300, 8, 31)
    const shard = putShard(kernel, rows, 8, 'i16')
    const usedBytes = kernel.usedBytes
    const graph = await engine.build(kernel, shard, PARAMS)
    const arrays = [graph.offsets, graph.neighbours, graph.distanceWords]
    const kept = arrays.filter((array) => array.buffer === kernel.memory.buffer)
    const keptBytes = kept.reduce((sum, array) => sum + array.byteLength + 16, 0)
    expect(kernel.usedBytes - usedBytes).toBeLessThanOrEqual(keptBytes)
    expect(kernel.i16(shard.grid, rows.length)).toEqual(rows)
  })

  test('the estimate for the plan grows with members, components and m', () => {
    const base = engine.workerBytes(8192, 128, 16)
    expect(base).toBeGreaterThan(0)
    expect(engine.workerBytes(16_384, 128, 16)).toBeGreaterThan(base)
    expect(engine.workerBytes(8192, 384, 16)).toBeGreaterThan(base)
    expect(engine.workerBytes(8192, 128, 32)).toBeGreaterThan(base)
  })
}

function rowOf(graph: ShardGraph, member: number): number[] {
  return [...graph.neighbours.subarray(graph.offsets[member], graph.offsets[member + 1])]
}

function expectValid(
  graph: ShardGraph,
  rows: Int16Array,
  gridDims: number,
  maxDegree: number,
  kind: Shard['kind'],
): void {
  const count = rows.length / gridDims
  const distances = distancesOf(graph, kind)
  expect(graph.offsets.length).toBe(count + 1)
  expect(graph.offsets[0]).toBe(0)
  expect(graph.offsets[count]).toBe(graph.neighbours.length)
  expect(graph.distanceWords.length).toBe(graph.neighbours.length)
  const faults: string[] = []
  for (let member = 0; member < count; member++) {
    const [from, to] = [graph.offsets[member], graph.offsets[member + 1]]
    const row = rowOf(graph, member)
    if (row.length > maxDegree) faults.push(`${member}: ${row.length} neighbours`)
    if (new Set(row).size !== row.length) faults.push(`${member}: a repeat`)
    for (let at = from; at < to; at++) {
      const neighbour = graph.neighbours[at]
      if (neighbour === member) faults.push(`${member}: itself`)
      if (neighbour >= count) faults.push(`${member}: ${neighbour} out of range`)
      if (distances[at] !== exactDistance(rows, gridDims, member, neighbour)) faults.push(`${member}: distance ${at}`)
      const ordered =
        at === from ||
        distances[at - 1] < distances[at] ||
        (distances[at - 1] === distances[at] && graph.neighbours[at - 1] < neighbour)
      if (!ordered) faults.push(`${member}: order at ${at}`)
    }
  }
  expect(faults).toEqual([])
}

function reachable(graph: ShardGraph): number {
  const seen = new Set([0])
  for (const member of seen) for (const neighbour of rowOf(graph, member)) seen.add(neighbour)
  return seen.size
}

/** Every 20th member is a query, and counts among its true ten. */
function recallAt10(graph: ShardGraph, rows: Int16Array, gridDims: number): number {
  const members = [...Array(rows.length / gridDims).keys()]
  let found = 0
  let wanted = 0
  for (let query = 7; query < members.length; query += 20) {
    const distances = members.map((member) => exactDistance(rows, gridDims, query, member))
    const limit = [...distances].sort((a, b) => a - b)[9]
    const hits = beamSearch(graph, (member) => distances[member], 10, 64)
    found += hits.filter((member) => distances[member] <= limit).length
    wanted += 10
  }
  return found / wanted
}

async function lastGraphOfThread(job: ThreadJob): Promise<ShardGraph> {
  const entry = new URL('./build-in-thread.ts', import.meta.url)
  // Node 20 ignores a loader in a thread's execArgv, so the thread registers it.
  const start = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}) })`
  const worker = new Worker(start, { eval: true, workerData: job })
  let last: ShardGraph | undefined
  worker.on('message', (graph: ShardGraph) => {
    last = graph
  })
  await once(worker, 'exit')
  if (last === undefined) throw new Error('the thread built nothing')
  return last
}
