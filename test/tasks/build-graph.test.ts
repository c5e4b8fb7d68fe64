/** Members that distances cannot tell apart, with every engine. */
import { describe, expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { buildGraph } from '../../src/tasks/link/build-graph.js'
import type { GraphTask } from '../../src/tasks/link/graph-task.js'
import type { ShardGraph } from '../../src/engines/shard-engine.js'
import { putShard, randomRows } from '../fixtures/shards.js'
import { rowsOf } from '../../src/tasks/link/finer-graphs.js'
import { encode, randomRows as floatRows, specOf, squaredL2 } from '../fixtures/tasks.js'

const DIMS = 16

describe.each(['pipnn', 'hnswlib-wasm'] as const)('%s', (engine) => {
  async function build(rows: Int16Array): Promise<ShardGraph> {
    const kernel = Kernel.create()
    const spec = specOf('l2', DIMS, floatRows(100, DIMS, 1))
    const { grid, count } = putShard(kernel, rows, DIMS, 'i16')
    const task: GraphTask = { spec, engine, quality: 'balanced', m: 16, seed: 1 }
    const graph = await buildGraph(kernel, task, grid, count)
    expect(kernel.i16(grid, rows.length)).toEqual(rows)
    return graph
  }

  test('2,000 copies of one vector among 2,000 others are all reached, from a copy and from another', async () => {
    const rows = randomRows(4000, DIMS, 3)
    for (let member = 1; member < 4000; member += 2) rows.copyWithin(member * DIMS, DIMS, 2 * DIMS)
    const graph = await build(rows)
    expect(reachableFrom(graph, 0)).toBe(4000)
    expect(reachableFrom(graph, 3999)).toBe(4000)
  })

  test('members that only the grid takes for copies are linked to their nearest by their vectors', async () => {
    const kernel = Kernel.create()
    // 300 vectors within a hundredth of a step of the grid, and others around.
    const rows = floatRows(1000, DIMS, 5)
    const near = floatRows(300, DIMS, 6)
    const spec = specOf('l2', DIMS, rows)
    for (let at = 0; at < near.length; at++) rows[at] = rows[999 * DIMS + (at % DIMS)] + (near[at] * 0.01) / spec.scale
    const codes = encode(kernel, spec, rows)
    const { grid, count } = putShard(kernel, Int16Array.from(codes.values), spec.gridDims, 'i16')
    const task: GraphTask = { spec, engine, quality: 'balanced', m: 16, seed: 1 }
    const read = (members: Uint32Array): Float32Array => rowsOf(rows, DIMS, members)
    const graph = await buildGraph(kernel, task, grid, count, { count, below: Number.POSITIVE_INFINITY, read })
    const distance = (a: number, b: number): number => squaredL2(rows, DIMS, a, b)
    let linked = 0
    for (let member = 0; member < 300; member++) {
      const others = Array.from({ length: 300 }, (_, i) => i).filter((other) => other !== member)
      const nearest = others.reduce((best, other) => (distance(member, other) < distance(member, best) ? other : best))
      if (rowOf(graph, member).includes(nearest)) linked++
    }
    // A tree links 3 in 299.
    expect(linked).toBeGreaterThan(270)
    expect(reachableFrom(graph, 999)).toBeGreaterThan(990)
  })

  test('copies crowd nobody out: others have the rows that they have beside a single copy', async () => {
    const single = randomRows(1000, DIMS, 4)
    const many = new Int16Array(1500 * DIMS)
    many.set(single)
    for (let copy = 1000; copy < 1500; copy++) many.copyWithin(copy * DIMS, 7 * DIMS, 8 * DIMS)
    const alone = await build(single)
    const crowded = await build(many)
    for (let member = 0; member < 1000; member++) {
      if (member !== 7) expect(rowOf(crowded, member)).toEqual(rowOf(alone, member))
    }
  })

  test('a copy has links out from among the copies', async () => {
    const rows = randomRows(1000, DIMS, 5)
    for (let member = 100; member < 400; member++) rows.copyWithin(member * DIMS, 0, DIMS)
    const graph = await build(rows)
    for (let member = 100; member < 400; member++) {
      const out = [...rowOf(graph, member)].filter((other) => other !== 0 && (other < 100 || other >= 400))
      expect(out.length).toBeGreaterThan(3)
    }
  })

  test.each([2, 3, 40, 5000])('%i identical members are one graph', async (count) => {
    const graph = await build(new Int16Array(count * DIMS).fill(-3))
    expect(reachableFrom(graph, 0)).toBe(count)
    expect(reachableFrom(graph, count - 1)).toBe(count)
  })
})

function rowOf(graph: ShardGraph, member: number): Uint32Array {
  return graph.neighbours.subarray(graph.offsets[member], graph.offsets[member + 1])
}

function reachableFrom(graph: ShardGraph, start: number): number {
  const seen = new Set([start])
  for (const member of seen) for (const neighbour of rowOf(graph, member)) seen.add(neighbour)
  return seen.size
}
