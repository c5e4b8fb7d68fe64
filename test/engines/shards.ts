/** Shards for the engine tests: seeded data put into kernel memory, and what a correct answer about them is. */

import type { Kernel } from '../../kernel/kernel.js'
import type { EngineParams, Shard, ShardGraph } from '../../src/engines/shard-engine.js'

export const PARAMS: EngineParams = { m: 16, seed: 1, quality: 'balanced', maxDegree: 32 }

/** Uniform in [0, 1), a function of the seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `count` rows of integers in -200..200: up to 100 dimensions every squared distance is exact in f32 too. */
export function randomRows(count: number, codeDims: number, seed: number): Int16Array {
  const random = randomNumbers(seed)
  return Int16Array.from({ length: count * codeDims }, () => Math.round(random() * 400 - 200))
}

export function putShard(kernel: Kernel, rows: Int16Array, codeDims: number, kind: Shard['kind']): Shard {
  const count = rows.length / codeDims
  const codes = kernel.alloc(rows.length * (kind === 'i16' ? 2 : 4))
  if (kind === 'i16') kernel.i16(codes, rows.length).set(rows)
  else kernel.f32(codes, rows.length).set(rows)
  return { count, codeDims, kind, codes }
}

/** Squared l2 of rows a and b, exact. */
export function exactDistance(rows: Int16Array, codeDims: number, a: number, b: number): number {
  let sum = 0
  for (let at = 0; at < codeDims; at++) sum += (rows[a * codeDims + at] - rows[b * codeDims + at]) ** 2
  return sum
}

/** The graph's distances as numbers. */
export function distancesOf(graph: ShardGraph, kind: Shard['kind']): Int32Array | Float32Array {
  const { buffer } = graph.distanceWords
  return kind === 'i16' ? new Int32Array(buffer) : new Float32Array(buffer)
}

/** Beam search over the graph from member 0: the `k` nearest members found to `query`, with a beam of `ef`. */
export function beamSearch(graph: ShardGraph, distanceTo: (member: number) => number, k: number, ef: number): number[] {
  const seen = new Set([0])
  const beam = [{ member: 0, distance: distanceTo(0), open: true }]
  for (;;) {
    const next = beam.find((entry) => entry.open)
    if (next === undefined) return beam.slice(0, k).map((entry) => entry.member)
    next.open = false
    for (const member of graph.neighbours.subarray(graph.offsets[next.member], graph.offsets[next.member + 1])) {
      if (seen.has(member)) continue
      seen.add(member)
      beam.push({ member, distance: distanceTo(member), open: true })
    }
    beam.sort((a, b) => a.distance - b.distance)
    beam.length = Math.min(beam.length, ef)
  }
}
