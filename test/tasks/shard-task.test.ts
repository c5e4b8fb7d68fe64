import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { GridStore } from '../../src/rows/grid-store.js'
import { buildShard, type ShardResult, type ShardTask } from '../../src/tasks/link/shard-task.js'
import { createSegment } from '../../src/format/segment/write-segment.js'
import { SegmentChecksums } from '../../src/format/segment/segment-checksums.js'
import { SEGMENT_HEADER_BYTES, vectorsHeader } from '../../src/format/segment/segment-header.js'
import { encode, makeFolder, memoryRef, randomRows, shared, specOf, squaredL2 } from '../fixtures/tasks.js'
import { graphRowBytes } from '../../src/plan/graph-row-bytes.js'

const DIMENSIONS = 6
const M = 4
const HOMES = 60
const REPLICAS = 40
const FIRST_NODE = 100
const NODES = 300

const rows = randomRows(HOMES + REPLICAS, DIMENSIONS, 11)
const spec = specOf('l2', DIMENSIONS, rows)
const codeBytes = 2 * spec.gridDims
const kernel = Kernel.create()
const codes = encode(kernel, spec, rows)

/** Home row i is ordinal 2i and node 100 + i; replica j is ordinal 2j + 1, in nodes on both sides of the homes. */
const replicaNode = (j: number): number => (j < 20 ? 3 * j : 200 + j)
const nodeOfOrdinal = new Uint32Array(new SharedArrayBuffer(4 * 2 * HOMES)).fill(0xffffffff)
for (let i = 0; i < HOMES; i++) nodeOfOrdinal[2 * i] = FIRST_NODE + i
for (let j = 0; j < REPLICAS; j++) nodeOfOrdinal[2 * j + 1] = replicaNode(j)

function homeRecord(i: number): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(2 * i)
  return Buffer.concat([head, Buffer.from(rows.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS).buffer)])
}

function replicaRecord(j: number): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(2 * j + 1)
  return Buffer.concat([head, Buffer.from(codes.bytes.slice((HOMES + j) * codeBytes, (HOMES + j + 1) * codeBytes))])
}

async function run(
  order: (count: number) => number[],
): Promise<{ result: ShardResult; task: ShardTask; path: string }> {
  const path = join(makeFolder(), 'vectors-000.seg')
  await createSegment(path, vectorsHeader({ firstNode: 90, count: 80, dimensions: DIMENSIONS }))
  const homes = order(HOMES).map(homeRecord)
  const replicas = order(REPLICAS).map(replicaRecord)
  const store: GridStore = { kind: 'memory', rowBytes: codeBytes, bytes: shared(NODES * codeBytes) }
  const task: ShardTask = {
    homes: {
      refs: [
        memoryRef(null, 25, Buffer.concat(homes.slice(0, 25))),
        memoryRef(null, HOMES - 25, Buffer.concat(homes.slice(25))),
      ],
      count: HOMES,
      kind: 'vectors',
    },
    replicas: { refs: [memoryRef(null, REPLICAS, Buffer.concat(replicas))], count: REPLICAS, kind: 'grid' },
    spec,
    firstNode: FIRST_NODE,
    nodeOfOrdinal,
    engine: 'hnswlib-wasm',
    quality: 'balanced',
    m: M,
    seed: 1,
    grid: store,
    vectors: { path, dataOffset: 10 * 4 * DIMENSIONS },
    rows: {
      segmentStarts: Uint32Array.of(0, 90, 170, NODES),
      runBytes: 500,
      path: undefined,
    },
    output: shared((HOMES + REPLICAS) * graphRowBytes(2 * M)),
  }
  const mark = kernel.mark()
  const result = await buildShard(kernel, task)
  kernel.release(mark)
  return { result, task, path }
}

const ascending = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const shuffled = (count: number): number[] => Array.from({ length: count }, (_, i) => (i * 7 + 3) % count)

/** Reads the output back: rows by node, and to which segment's run each belongs. */
function graphRows({
  result,
  task,
}: Awaited<ReturnType<typeof run>>): Map<number, { segment: number; links: [number, number][] }> {
  const words = new Uint32Array(task.output.buffer)
  const found = new Map<number, { segment: number; links: [number, number][] }>()
  let at = 0
  for (const { segment, rows: rowCount, bytes } of result.runs) {
    const end = at + bytes / 4
    for (let i = 0; i < rowCount; i++) {
      const [node, degree] = words.subarray(at, at + 2)
      const links = Array.from({ length: degree }, (_, c): [number, number] => [
        words[at + 2 + c],
        words[at + 2 + degree + c],
      ])
      found.set(node, { segment, links })
      at += 2 + 2 * degree
    }
    expect(at).toBe(end)
  }
  return found
}

const memberOf = new Map([
  ...ascending(HOMES).map((i): [number, number] => [FIRST_NODE + i, i]),
  ...ascending(REPLICAS).map((j): [number, number] => [replicaNode(j), HOMES + j]),
])

describe('buildShard', () => {
  it('writes the home vectors at their place in the segment, with checksums that fit', async () => {
    const { result, path } = await run(shuffled)
    const data = readFileSync(path).subarray(SEGMENT_HEADER_BYTES)
    const expected = Buffer.alloc(80 * 4 * DIMENSIONS)
    expected.set(Buffer.from(rows.slice(0, HOMES * DIMENSIONS).buffer), 10 * 4 * DIMENSIONS)
    expect(data.equals(expected)).toBe(true)
    const checksums = new SegmentChecksums(60 * 4 * DIMENSIONS)
    expect(result.checksums).toMatchObject({ offset: 10 * 4 * DIMENSIONS, length: HOMES * 4 * DIMENSIONS })
    if (result.checksums !== undefined) {
      const { offset, pieces } = result.checksums
      checksums.add({
        offset: 0,
        length: 60 * 4 * DIMENSIONS,
        pieces: pieces.map((piece) => ({ ...piece, start: piece.start - offset })),
      })
    }
    expect(checksums.complete).toBe(true)
  })

  it('puts the codes of its homes, and only those, into the code store', async () => {
    const { task } = await run(shuffled)
    const expected = Buffer.alloc(NODES * codeBytes)
    expected.set(codes.bytes.subarray(0, HOMES * codeBytes), FIRST_NODE * codeBytes)
    if (task.grid.kind === 'memory') expect(Buffer.from(task.grid.bytes).equals(expected)).toBe(true)
  })

  it('gives each member, home or replica, one row in its segment, with true distances, nearest first', async () => {
    const found = graphRows(await run(shuffled))
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([...memberOf.keys()].sort((a, b) => a - b))
    for (const [node, { segment, links }] of found) {
      expect(segment).toBe(node < 90 ? 0 : node < 170 ? 1 : 2)
      expect(links.length).toBeGreaterThan(0)
      expect(links.length).toBeLessThanOrEqual(2 * M)
      expect(new Set(links.map(([to]) => to)).size).toBe(links.length)
      for (const [i, [to, word]] of links.entries()) {
        expect(to).not.toBe(node)
        expect(word).toBe(squaredL2(codes.values, spec.gridDims, memberOf.get(node) ?? -1, memberOf.get(to) ?? -1))
        if (i > 0) expect(word).toBeGreaterThanOrEqual(links[i - 1][1])
      }
    }
  })

  it('keeps runs of one segment below the length asked for', async () => {
    const { result } = await run(ascending)
    for (const { bytes } of result.runs) expect(bytes).toBeLessThanOrEqual(500)
    expect(result.runs.map(({ segment }) => segment)).toEqual([...result.runs.map(({ segment }) => segment)].sort())
  })

  it('makes the same bytes in whatever order the records came', async () => {
    const one = await run(ascending)
    const other = await run(shuffled)
    expect(other.result).toEqual(one.result)
    expect(Buffer.from(other.task.output).equals(Buffer.from(one.task.output))).toBe(true)
    expect(readFileSync(other.path).equals(readFileSync(one.path))).toBe(true)
  })
})
