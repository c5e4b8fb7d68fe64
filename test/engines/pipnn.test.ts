/** Hard cases for this engine only: members that cannot be carved, and parts that share no ball. */

import { describe, expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { pipnnEngine } from '../../src/engines/pipnn/pipnn-engine.js'
import type { EngineParams, Shard, ShardGraph } from '../../src/engines/shard-engine.js'
import { PARAMS, exactDistance, putShard, randomNumbers, randomRows } from '../fixtures/shards.js'

const KINDS = ['i16', 'f32'] as const

function build(
  rows: Int16Array,
  gridDims: number,
  params: Partial<EngineParams> = {},
  kind: Shard['kind'] = 'i16',
): Promise<ShardGraph> {
  const kernel = Kernel.create()
  return pipnnEngine.build(kernel, putShard(kernel, rows, gridDims, kind), { ...PARAMS, ...params })
}

function rowOf(graph: ShardGraph, member: number): Uint32Array {
  return graph.neighbours.subarray(graph.offsets[member], graph.offsets[member + 1])
}

function reachableFrom(graph: ShardGraph, start: number): number {
  const seen = new Set([start])
  for (const member of seen) for (const neighbour of rowOf(graph, member)) seen.add(neighbour)
  return seen.size
}

/** Every row in range, sorted by (word, neighbour), without self or repeats. */
function faultsOf(graph: ShardGraph, maxDegree: number): string[] {
  const faults: string[] = []
  const count = graph.offsets.length - 1
  for (let member = 0; member < count; member++) {
    const from = graph.offsets[member]
    const row = rowOf(graph, member)
    if (row.length > maxDegree) faults.push(`${member}: ${row.length} neighbours`)
    row.forEach((neighbour, i) => {
      if (neighbour >= count || neighbour === member) faults.push(`${member}: link to ${neighbour}`)
      if (i === 0) return
      const before = graph.distanceWords[from + i - 1]
      const word = graph.distanceWords[from + i]
      if (before > word || (before === word && row[i - 1] >= neighbour)) faults.push(`${member}: order at ${i}`)
    })
  }
  return faults
}

describe.each(KINDS)('%s rows', (kind) => {
  test('two far clusters are linked both ways', async () => {
    const rows = randomRows(3000, 16, 6)
    for (let at = 0; at < rows.length; at++) rows[at] = rows[at] / 4 + (at < 1000 * 16 ? -4000 : 4000)
    const graph = await build(rows, 16, {}, kind)
    expect(faultsOf(graph, 32)).toEqual([])
    expect(reachableFrom(graph, 0)).toBe(3000)
    expect(reachableFrom(graph, 2999)).toBe(3000)
  })

  test('a tight cluster has links from many others, and its members have near links too', async () => {
    const clusters = 100
    const count = 30 * clusters
    const centres = randomRows(clusters, 16, 8)
    const noise = randomRows(count, 16, 9)
    const rows = noise.map((x, at) => centres[((at >> 4) % clusters) * 16 + (at % 16)] + x / 100)
    const graph = await build(rows, 16, {}, kind)
    expect(faultsOf(graph, 32)).toEqual([])
    const sources = Array.from({ length: clusters }, () => new Set<number>())
    for (let member = 0; member < count; member++) {
      const targets = [...rowOf(graph, member)].map((neighbour) => neighbour % clusters)
      expect(targets).toContain(member % clusters)
      for (const target of targets) sources[target].add(member % clusters)
    }
    // Its own, and others by far candidates: the median is 12, and 3 without them.
    expect(sources.map(({ size }) => size).sort((a, b) => a - b)[clusters / 2]).toBeGreaterThan(8)
  })

  test('points on a line are linked from end to end', async () => {
    const rows = new Int16Array(4000 * 8)
    const order = Array.from({ length: 4000 }, (_, i) => (i * 1237) % 4000)
    order.forEach((place, member) => (rows[member * 8] = 2 * place - 4000))
    const graph = await build(rows, 8, {}, kind)
    expect(faultsOf(graph, 32)).toEqual([])
    expect(reachableFrom(graph, 0)).toBe(4000)
    // The nearest neighbour is the next point on either side.
    order.forEach((_, member) =>
      expect(graph.distanceWords[graph.offsets[member]]).toBe(kind === 'i16' ? 4 : 0x40800000),
    )
  })

  test('members equally far from each other cannot be carved, and are linked all the same', async () => {
    // One component set in each: every distance is the same.
    const rows = new Int16Array(1200 * 1200)
    for (let member = 0; member < 1200; member++) rows[member * 1200 + member] = 100
    const graph = await build(rows, 1200, {}, kind)
    expect(faultsOf(graph, 32)).toEqual([])
    expect(reachableFrom(graph, 0)).toBeGreaterThan(600)
  })
})

test.each([1, 2, 3, 4, 6, 7])('%i members, about as many as each offers, are linked with each other', async (count) => {
  const graph = await build(randomRows(count, 8, count), 8)
  expect(faultsOf(graph, 32)).toEqual([])
  expect(reachableFrom(graph, 0)).toBe(count)
})

test('many small clusters, more than leaders, are one graph', async () => {
  const random = randomNumbers(9)
  const rows = new Int16Array(4000 * 8)
  const centres = randomRows(400, 8, 10)
  for (let member = 0; member < 4000; member++) {
    for (let d = 0; d < 8; d++) rows[member * 8 + d] = 20 * centres[(member % 400) * 8 + d] + Math.round(random() * 6)
  }
  const graph = await build(rows, 8)
  expect(faultsOf(graph, 32)).toEqual([])
  expect(reachableFrom(graph, 0)).toBe(4000)
})

test('rays that begin equally near each other are one graph, though each is nearest to the same few', async () => {
  const rows = new Int16Array(8000 * 128)
  for (let member = 0; member < 8000; member++) rows[member * 128 + (member % 128)] = 1000 + Math.floor(member / 128)
  const graph = await build(rows, 128)
  expect(faultsOf(graph, 32)).toEqual([])
  expect(reachableFrom(graph, 0)).toBe(8000)
  expect(reachableFrom(graph, 7999)).toBe(8000)
})

test('quality high finds more of the true 10 nearest than balanced', async () => {
  const rows = randomRows(3000, 64, 12)
  const share = async (quality: EngineParams['quality']): Promise<number> => {
    const graph = await build(rows, 64, { quality })
    let found = 0
    for (let member = 0; member < 3000; member += 100) {
      const distances = Array.from({ length: 3000 }, (_, other) => exactDistance(rows, 64, member, other))
      const limit = [...distances].sort((a, b) => a - b)[10]
      found += rowOf(graph, member).filter((neighbour) => distances[neighbour] <= limit).length
    }
    return found
  }
  expect(await share('high')).toBeGreaterThan(await share('balanced'))
})

test.each(KINDS)('a build of %s rows takes no more than its estimate', async (kind) => {
  for (const [count, gridDims, m] of [
    [6000, 32, 16],
    [300, 2048, 8],
    [2500, 16, 64],
  ]) {
    const kernel = Kernel.create()
    const shard = putShard(kernel, randomRows(count, gridDims, 2), gridDims, kind)
    const before = kernel.heldBytes
    const graph = await pipnnEngine.build(kernel, shard, { m, seed: 1, quality: 'high', maxDegree: 2 * m })
    const graphBytes = 4 * (graph.offsets.length + 2 * graph.neighbours.length)
    // Memory grows by at least 4 MiB: growth beyond the need does not count.
    const taken = kernel.heldBytes - before - 4 * 2 ** 20 + graphBytes
    expect(taken).toBeLessThanOrEqual(pipnnEngine.workerBytes(count, gridDims, m))
  }
})
