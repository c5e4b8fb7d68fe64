import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordRuns } from '../../src/format/segment/record-runs.js'
import { SegmentReader } from '../../src/format/segment/segment-reader.js'
import type { SegmentFile } from '../../src/format/segment/segment-file.js'
import { FanOut } from '../../src/pipeline/layer/fan-out.js'
import { NO_NODE } from '../../src/pipeline/layer/layer.js'
import { writeRecords } from '../../src/pipeline/segments/write-records.js'
import { makeRun } from '../fixtures/tasks.js'

/** Writes records whose bytes follow from their ordinals, and reads them back by node. */
async function written(
  lengths: readonly number[],
  nodeOfOrdinal: Uint32Array,
  starts: Uint32Array,
  kind: 'ids' | 'fields',
): Promise<{ records: Buffer[]; files: SegmentFile[] }> {
  const run = makeRun({}, { limitBytes: 1e5 })
  const out = new FanOut([run.queues.open<null>('test')], run.queues)
  for (const [ordinal, length] of lengths.entries()) {
    const record = Buffer.alloc(8 + length, ordinal)
    record.writeUInt32LE(ordinal, 0)
    record.writeUInt32LE(length, 4)
    await out.appendRecord(0, record, 0, record.length)
  }
  await out.flush()
  const layout = { starts, shardStarts: starts, segmentOfShard: new Uint32Array(0) }
  const files = await writeRecords(run, kind, out.queues[0], { layout, nodeOfOrdinal }, 3)
  const records: Buffer[] = []
  for (const file of files) {
    const reader = await SegmentReader.open(path.join(run.paths.generationDir, file.name), file)
    for await (const run of recordRuns(reader)) {
      expect(run.firstNode).toBe(records.length)
      for (let i = 0; i < run.count; i++) records.push(Buffer.from(run.bytesOf(i)))
    }
    await reader.close()
  }
  return { records, files }
}

function shuffledNodes(count: number, left: readonly boolean[]): Uint32Array {
  const staying = left.flatMap((isLeft, ordinal) => (isLeft ? [] : [ordinal]))
  const nodeOfOrdinal = new Uint32Array(count).fill(NO_NODE)
  for (const [i, ordinal] of staying.entries()) nodeOfOrdinal[ordinal] = (i * 7919) % staying.length
  return nodeOfOrdinal
}

describe('writeRecords', () => {
  it.each(['ids', 'fields'] as const)('puts %s in the order of nodes, without those that have none', async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ length: fc.integer({ min: 1, max: 300 }), isLeft: fc.boolean() }), {
          minLength: 1,
          maxLength: 200,
        }),
        fc.integer({ min: 1, max: 4 }),
        async (vectors, segments) => {
          const count = vectors.length
          const left = vectors.map(({ isLeft }) => isLeft)
          const nodeOfOrdinal = shuffledNodes(count, left)
          const nodes = left.filter((isLeft) => !isLeft).length
          fc.pre(nodes >= segments)
          const starts = Uint32Array.from({ length: segments + 1 }, (_, i) => Math.floor((i * nodes) / segments))
          const { records, files } = await written(
            vectors.map(({ length }) => length),
            nodeOfOrdinal,
            starts,
            kind,
          )
          expect(files.map(({ name }) => name)).toEqual(
            Array.from({ length: segments }, (_, i) => `${kind}-00${i}.seg`),
          )
          expect(records.length).toBe(nodes)
          for (const [ordinal, { length, isLeft }] of vectors.entries()) {
            if (!isLeft) expect(records[nodeOfOrdinal[ordinal]].equals(Buffer.alloc(length, ordinal))).toBe(true)
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  it('divides what is too long to be put in order at once', async () => {
    // 6 MB in one segment, with rows of up to 1 MiB.
    const lengths = Array.from({ length: 300 }, (_, i) => (i === 7 ? 2 ** 20 : 1 + ((i * 1000) % 40_000)))
    const nodeOfOrdinal = Uint32Array.from(lengths, (_, i) => (i * 7) % 300)
    const { records } = await written(lengths, nodeOfOrdinal, Uint32Array.of(0, 300), 'fields')
    for (const [ordinal, length] of lengths.entries()) {
      expect(records[nodeOfOrdinal[ordinal]].equals(Buffer.alloc(length, ordinal))).toBe(true)
    }
  })
})
