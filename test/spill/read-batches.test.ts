import { readdirSync } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../spill/files/frame.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { DiskBackedQueue } from '../../spill/disk-backed-queue.js'
import { readBatches } from '../../spill/read-batches.js'
import { SpillBudget } from '../../spill/spill-budget.js'
import type { BatchRef } from '../../spill/batch.js'
import { makeBatch, makeDirectory, snapshot, type TestHeader } from '../fixtures/batches.js'

/** Frames of these sizes in one file, and the refs to them. */
async function writeFrames(path: string, sizes: readonly number[], firstNumber = 0): Promise<BatchRef<TestHeader>[]> {
  let end = 0
  const encoded = sizes.map((size, number) => encodeFrame(makeBatch(firstNumber + number, size)))
  await writeFile(path, Buffer.concat(encoded.flatMap(({ parts }) => parts)))
  return encoded.map(({ frameBytes, count }) => {
    const offset = end
    end += frameBytes
    return { kind: 'file', path, offset, frameBytes, count }
  })
}

describe('readBatches', () => {
  it('reads any frames from several files and memory, with any read size', async () => {
    const directory = await makeDirectory()
    const sizes = [0, 1, 8, 4000, 77, 0, 12_345, 64, 3]
    const first = await writeFrames(join(directory, 'a.spill'), sizes)
    const second = await writeFrames(join(directory, 'b.spill'), sizes, 100)
    const inMemory = sizes.map((size, number): BatchRef<TestHeader> => ({
      kind: 'memory',
      batch: makeBatch(200 + number, size),
    }))
    const sources = [first, second, inMemory]
    const source = fc.record({ from: fc.constantFrom(0, 1, 2), number: fc.nat(sizes.length - 1) })
    fc.assert(
      fc.property(fc.array(source, { maxLength: 30 }), fc.constantFrom(1, 5000, 4 << 20), (picks, readBytes) => {
        const refs = picks.map(({ from, number }) => sources[from][number])
        const got = Array.from(readBatches(refs, { readBytes }), snapshot)
        expect(got).toEqual(picks.map(({ from, number }) => snapshot(makeBatch(100 * from + number, sizes[number]))))
      }),
    )
  })

  it('yields file batches whose bytes are 8-byte aligned', async () => {
    const refs = await writeFrames(join(await makeDirectory(), 'a.spill'), [3, 9, 24, 1, 0, 7])
    for (const { bytes } of readBatches(refs)) expect(bytes.byteOffset % 8).toBe(0)
  })

  it('yields in-memory batches without a copy', () => {
    const batch = makeBatch(1, 100)
    expect(Array.from(readBatches([{ kind: 'memory', batch }]))[0]).toBe(batch)
  })

  it('names file and offset of a damaged frame, after yielding the frames before it', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    const refs = await writeFrames(path, [100, 100, 100])
    const bytes = Buffer.concat([0, 1, 2].flatMap((number) => encodeFrame(makeBatch(number, 100)).parts))
    const at = refs[1].kind === 'file' ? refs[1].offset : 0
    bytes[at + 60] ^= 4
    await writeFile(path, bytes)
    const reader = readBatches(refs)
    expect(snapshot(reader.next().value ?? undefined)).toEqual(snapshot(makeBatch(0, 100)))
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'SHARDLOOM_CORRUPT_SPILL', path, offset: at }))
  })

  it('reports a truncated file as corrupt and a missing one with its cause', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    const refs = await writeFrames(path, [100, 100])
    await truncate(path, 200)
    expect(() => Array.from(readBatches(refs))).toThrow(
      expect.objectContaining({ code: 'SHARDLOOM_CORRUPT_SPILL', path }),
    )
    const absent: BatchRef = { kind: 'file', path: `${path}.absent`, offset: 0, frameBytes: 64, count: 1 }
    expect(() => Array.from(readBatches([absent]))).toThrow(expect.objectContaining({ code: 'SHARDLOOM_SPILL_FAILED' }))
  })

  it.skipIf(process.platform !== 'linux')('closes its file when the reader stops early, or at an error', async () => {
    const path = join(await makeDirectory(), 'a.spill')
    const refs = await writeFrames(path, [100, 100, 100])
    const openBefore = readdirSync('/proc/self/fd').length
    for (const _ of readBatches(refs)) break
    await truncate(path, 150)
    expect(() => Array.from(readBatches(refs, { readBytes: 1 }))).toThrow()
    expect(readdirSync('/proc/self/fd')).toHaveLength(openBefore)
  })

  it('gives a worker thread all batches, some in shared memory and the rest from disk', async () => {
    const budget = new SpillBudget({ limitBytes: 40_000, pool: new BufferPool() })
    const queue = new DiskBackedQueue<TestHeader>({ name: 'shard-1', directory: await makeDirectory(), budget })
    const pushed: unknown[] = []
    for (let number = 0; number < 12; number++) {
      const batch = makeBatch(number, 9000)
      pushed.push(snapshot(batch))
      await queue.push(batch)
    }
    const refs = await queue.handOff()
    expect(new Set(refs.map(({ kind }) => kind))).toEqual(new Set(['file', 'memory']))
    const worker = new Worker(new URL('./read-batches-worker.mjs', import.meta.url), { workerData: refs })
    const got = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    }).finally(() => worker.terminate())
    expect(got).toEqual(pushed)
    for (const ref of refs) if (ref.kind === 'memory') expect(ref.batch.bytes[0]).toBe(123)
    await queue.release(refs)
    await queue.dispose()
    expect(budget.memoryBytes).toBe(0)
  })
})
