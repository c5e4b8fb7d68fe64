import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import type { GridStore } from '../../src/rows/grid-store.js'
import { PRUNE_ALPHA } from '../../kernel/typed-ops.js'
import { mergeSegment, type MergeTask } from '../../src/tasks/link/merge-task.js'
import { createSegment } from '../../src/format/segment/write-segment.js'
import { SEGMENT_HEADER_BYTES, linksHeader } from '../../src/format/segment/segment-header.js'
import { readFileSync } from 'node:fs'
import {
  encode,
  makeFolder,
  memoryRef,
  randomNumbers,
  randomRows,
  shared,
  specOf,
  squaredL2,
} from '../fixtures/tasks.js'

const kernel = Kernel.create()

interface Row {
  readonly node: number
  readonly links: readonly number[]
}

/**
 * The prune in plain words: nearest first, keep c unless a kept q has α·d(c, q) < d(c, member). A row shorter than five
 * eighths of `maxDegree` gets the nearest of the others back.
 */
function linksTwin(
  node: number,
  candidates: readonly number[],
  distance: (a: number, b: number) => number,
  maxDegree: number,
): number[] {
  const sorted = [...new Set(candidates)].sort((a, b) => distance(node, a) - distance(node, b) || a - b)
  const kept: number[] = []
  for (const c of sorted) {
    if (kept.length === maxDegree) break
    if (!kept.some((q) => PRUNE_ALPHA * distance(c, q) < distance(c, node))) kept.push(c)
  }
  const others = sorted.filter((c) => !kept.includes(c))
  const filled = [...kept, ...others.slice(0, Math.max(0, Math.floor((5 * maxDegree) / 8) - kept.length))]
  return sorted.filter((c) => filled.includes(c))
}

function rowBytes(rows: readonly Row[], distance: (a: number, b: number) => number): Uint8Array {
  const words = rows.flatMap(({ node, links }) => [
    node,
    links.length,
    ...links,
    ...links.map((to) => distance(node, to)),
  ])
  return new Uint8Array(Uint32Array.from(words).buffer)
}

describe('mergeSegment', () => {
  it('unites the rows of all shards, drops repeats, prunes and fills up, whatever the chunks and the order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 80 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer(),
        fc.constantFrom(1, 300, 1e6),
        fc.integer({ min: 1, max: 3 }),
        (count, maxDegree, seed, chunkBytes, shardCount) => {
          const dimensions = 5
          const values = randomRows(count, dimensions, seed)
          const spec = specOf('l2', dimensions, values)
          const codes = encode(kernel, spec, values)
          const distance = (a: number, b: number): number => squaredL2(codes.values, spec.gridDims, a, b)
          const store: GridStore = { kind: 'memory', rowBytes: 2 * spec.gridDims, bytes: codes.bytes }
          const random = randomNumbers(seed)
          const firstNode = Math.floor(random() * count)
          const segmentCount = count - firstNode
          const rows: Row[] = []
          for (let shard = 0; shard < shardCount; shard++) {
            for (let node = firstNode; node < count; node++) {
              if (random() < 0.2) continue
              const others = Array.from({ length: count }, (_, i) => i).filter((i) => i !== node && random() < 0.3)
              rows.push({ node, links: others.sort((a, b) => distance(node, a) - distance(node, b) || a - b) })
            }
          }
          rows.sort(() => random() - 0.5)
          const half = rows.length >> 1
          const parts = [rowBytes(rows.slice(0, half), distance), rowBytes(rows.slice(half), distance)]
          const output = shared(4 * segmentCount * (1 + maxDegree))
          const task: MergeTask = {
            rows: parts.map((bytes) => memoryRef(null, 1, bytes)),
            rowBytes: parts[0].length + parts[1].length,
            firstNode,
            count: segmentCount,
            spec,
            grid: store,
            nodeCount: count,
            maxDegree,
            chunkBytes,
            links: undefined,
            output,
            longest: undefined,
          }
          const mark = kernel.mark()
          const { degreeSum } = mergeSegment(kernel, task)
          kernel.release(mark)
          const words = new Uint32Array(output.buffer)
          let degrees = 0
          for (let i = 0; i < segmentCount; i++) {
            const node = firstNode + i
            const candidates = rows.filter((row) => row.node === node).flatMap((row) => row.links)
            const expected = linksTwin(node, candidates, distance, maxDegree)
            const row = words.subarray(i * (1 + maxDegree), (i + 1) * (1 + maxDegree))
            expect(Array.from(row.subarray(1, 1 + row[0]))).toEqual(expected)
            expect(row.subarray(1 + row[0]).every((word) => word === 0)).toBe(true)
            degrees += row[0]
          }
          expect(degreeSum).toBe(degrees)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('writes the same rows to a links segment', async () => {
    const values = randomRows(20, 3, 1)
    const spec = specOf('l2', 3, values)
    const codes = encode(kernel, spec, values)
    const distance = (a: number, b: number): number => squaredL2(codes.values, spec.gridDims, a, b)
    const rows = Array.from({ length: 20 }, (_, node) => ({ node, links: [(node + 1) % 20, (node + 7) % 20] }))
    const bytes = rowBytes(rows, distance)
    const path = join(makeFolder(), 'links-000.seg')
    await createSegment(path, linksHeader({ firstNode: 0, count: 20, dimensions: 3, m: 4 }))
    const output = shared(20 * 4 * 9)
    const { checksums } = mergeSegment(kernel, {
      rows: [memoryRef(null, 20, bytes)],
      rowBytes: bytes.length,
      firstNode: 0,
      count: 20,
      spec,
      grid: { kind: 'memory', rowBytes: 16, bytes: codes.bytes },
      nodeCount: 20,
      maxDegree: 8,
      chunkBytes: 1e6,
      links: { path, dataOffset: 0 },
      output,
      longest: undefined,
    })
    expect(checksums).toMatchObject({ offset: 0, length: 20 * 36 })
    expect(readFileSync(path).subarray(SEGMENT_HEADER_BYTES).equals(Buffer.from(output))).toBe(true)
  })
})
