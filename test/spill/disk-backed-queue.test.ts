import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchBytes } from '../../spill/batch.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { DiskBackedQueue } from '../../spill/disk-backed-queue.js'
import { readBatches } from '../../spill/read-batches.js'
import { SpillBudget } from '../../spill/spill-budget.js'
import { fileSystemWith, makeBatch, makeDirectory, makeGate, snapshot, type TestHeader } from '../fixtures/batches.js'

async function makeQueue(
  limitBytes: number,
  options: { pool?: BufferPool; fileSystem?: ReturnType<typeof fileSystemWith> } = {},
): Promise<{ queue: DiskBackedQueue<TestHeader>; budget: SpillBudget; directory: string }> {
  const { pool = new BufferPool(), fileSystem } = options
  const directory = join(await makeDirectory(), 'made', 'when', 'needed')
  const budget = new SpillBudget({ limitBytes, pool, fileSystem })
  return { queue: new DiskBackedQueue({ name: 'queue', directory, budget }), budget, directory }
}

async function takeAll(queue: DiskBackedQueue<TestHeader>): Promise<unknown[]> {
  const got: unknown[] = []
  for await (const batch of queue) got.push(snapshot(batch))
  return got
}

/** A step of a random life: several pushes or shifts at once, a spill, a hand-off with a later release. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      sizes: fc.array(fc.nat(3000), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('shift' as const), times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('spill' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hand off' as const), releaseAfter: fc.nat(5) }) },
)

describe('DiskBackedQueue', () => {
  it('gives batches back in order, the oldest from disk and the newest from memory', async () => {
    const { queue, budget } = await makeQueue(1e6)
    const [first, second] = [makeBatch(1, 100), makeBatch(2, 100)]
    await queue.push(first)
    await queue.spill()
    await queue.push(second)
    expect(budget.spilledBytes).toBeGreaterThan(100)
    expect(snapshot(await queue.shift())).toEqual(snapshot(first))
    expect(await queue.shift()).toBe(second)
    expect(await queue.shift()).toBeUndefined()
    await queue.dispose()
  })

  it('hands its batches to a task, and charges them until the task releases them', async () => {
    const { queue, budget } = await makeQueue(1e6)
    await queue.push(makeBatch(1, 100))
    const refs = await queue.handOff()
    expect(queue.length.batches).toBe(0)
    expect(Array.from(readBatches<TestHeader>(refs), ({ header }) => header.number)).toEqual([1])
    expect(budget.memoryBytes).toBeGreaterThan(100)
    await queue.release(refs)
    expect(budget.memoryBytes).toBe(0)
    await queue.dispose()
  })

  it('is FIFO and within its budget over any pushes, shifts, spills, hand-offs and limits, and leaves no file', async () => {
    const directory = await makeDirectory()
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(0, 1, 500, 3000, 9000, 30_000, Infinity),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 50, max: 5000 }),
        async (steps, limitBytes, shared, awaitPushes, callBytes) => {
          const fileSystem = fileSystemWith({ callBytes: () => callBytes })
          const pool = new BufferPool()
          const budget = new SpillBudget({ limitBytes, pool, fileSystem })
          const queue = new DiskBackedQueue<TestHeader>({ name: 'queue', directory, budget })
          const expected: unknown[] = []
          const pending: Promise<void>[] = []
          const held: { readonly due: number; release: () => Promise<void> }[] = []
          let largest = 0
          let number = 0
          for (const [index, { kind, ...args }] of steps.entries()) {
            if (kind === 'push') {
              for (const size of (args as { sizes: number[] }).sizes) {
                const made = makeBatch(number++, size, shared)
                const bytes = pool.acquire(size)
                bytes.set(made.bytes)
                const batch = shared ? { ...made, bytes } : made
                largest = Math.max(largest, batchBytes(batch))
                expected.push(snapshot(batch))
                pending.push(queue.push(batch))
              }
              if (awaitPushes) await Promise.all(pending)
            } else if (kind === 'shift') {
              const { times } = args as { times: number }
              const shifts = Array.from({ length: times }, () => queue.shift())
              for (const shifted of await Promise.all(shifts)) {
                expect(snapshot(shifted)).toEqual(expected.shift())
                if (shifted !== undefined) pool.release(shifted.bytes)
              }
            } else if (kind === 'spill') {
              await queue.spill()
              expect(queue.length.memory.batches).toBe(0)
            } else {
              const refs = await queue.handOff()
              expect(Array.from(readBatches<TestHeader>(refs), snapshot)).toEqual(expected.splice(0))
              expect(queue.length.batches).toBe(0)
              const { releaseAfter } = args as { releaseAfter: number }
              held.push({ due: index + releaseAfter, release: () => queue.release(refs) })
            }
            for (const hold of held.filter(({ due }) => due === index)) await hold.release()
            expect(budget.memoryBytes).toBeLessThanOrEqual(limitBytes + largest)
          }
          await Promise.all(pending)
          expect(queue.length.batches).toBe(expected.length)
          if (limitBytes <= 1) expect(queue.length.memory.batches).toBe(0)
          expect(budget.peakMemoryBytes).toBeLessThanOrEqual(limitBytes + largest)
          if (limitBytes === Infinity && !steps.some(({ kind }) => kind === 'spill'))
            expect(budget.spilledBytes).toBe(0)
          await queue.close()
          expect(await takeAll(queue)).toEqual(expected)
          for (const { due, release } of held) if (due >= steps.length) await release()
          expect(budget.memoryBytes).toBe(0)
          expect(await readdir(directory)).toEqual([])
          await queue.dispose()
          expect(await readdir(directory)).toEqual([])
        },
      ),
      { numRuns: 150 },
    )
  })

  it('keeps a batch as it is while there is room, and touches no disk', async () => {
    const { queue, budget, directory } = await makeQueue(1e6)
    const batch = makeBatch(1, 1000)
    await queue.push(batch)
    expect(queue.length).toMatchObject({
      batches: 1,
      vectors: batch.count,
      memory: { bytes: 1000 },
      disk: { batches: 0 },
    })
    expect(await queue.shift()).toBe(batch)
    expect(await queue.shift()).toBeUndefined()
    expect([budget.spilledBytes, budget.memoryBytes, queue.files]).toEqual([0, 0, []])
    await expect(readdir(directory)).rejects.toThrow('ENOENT')
  })

  it('counts batches and vectors on disk and in memory', async () => {
    const { queue, budget } = await makeQueue(1e6)
    for (const number of [1, 2, 3]) await queue.push(makeBatch(number, 100))
    await queue.spill()
    await queue.push(makeBatch(4, 50))
    const { batches, vectors, memory, disk } = queue.length
    expect([batches, vectors, memory]).toEqual([4, 30, { batches: 1, vectors: 12, bytes: 50 }])
    expect(disk).toEqual({ batches: 3, vectors: 18, bytes: budget.spilledBytes })
    await queue.dispose()
  })

  it('sends every batch to disk at limit 0, also batches without bytes', async () => {
    const { queue, budget } = await makeQueue(0)
    for (const [number, size] of [0, 10, 0, 1000].entries()) {
      await queue.push(makeBatch(number, size))
      expect([queue.length.memory.batches, budget.memoryBytes]).toEqual([0, 0])
    }
    expect(await takeAll(queue)).toEqual([0, 10, 0, 1000].map((size, number) => snapshot(makeBatch(number, size))))
    await queue.dispose()
  })

  it('gives file batches 8-byte aligned shared memory from the pool', async () => {
    const pool = new BufferPool()
    const { queue } = await makeQueue(0, { pool })
    for (const number of [1, 2]) await queue.push(makeBatch(number, 4096))
    const first = await queue.shift()
    expect(first?.bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(first?.bytes.byteOffset).toBe(0)
    if (first !== undefined) pool.release(first.bytes)
    expect((await queue.shift())?.bytes.buffer).toBe(first?.bytes.buffer)
    await queue.dispose()
  })

  it('gives the buffers of spilled batches back to the pool', async () => {
    const pool = new BufferPool()
    const { queue } = await makeQueue(1e6, { pool })
    await queue.push({ header: { number: 1, ids: [] }, count: 1, bytes: pool.acquire(8192) })
    expect(pool.freeBytes).toBe(0)
    await queue.spill()
    expect(pool.freeBytes).toBe(8192)
    await queue.dispose()
  })

  it('shifts a batch whose push still waits for room', async () => {
    const gate = makeGate()
    const { queue } = await makeQueue(0, { fileSystem: fileSystemWith({ write: () => gate.opened }) })
    const pushes = [1, 2].map((number) => queue.push(makeBatch(number, 100)))
    const shifts = [queue.shift(), queue.shift(), queue.shift()]
    gate.open()
    await Promise.all(pushes)
    expect((await Promise.all(shifts)).map((batch) => batch?.header.number)).toEqual([1, 2, undefined])
    await queue.dispose()
  })

  it('deletes a file with its last frame, while later ones are still there', async () => {
    const { queue } = await makeQueue(0)
    const size = 24 * 2 ** 20
    for (let number = 0; number < 5; number++) {
      await queue.push({ header: { number, ids: [] }, count: 1, bytes: new Uint8Array(size) })
    }
    const names = (): string[] => queue.files.map((path) => path.slice(-12, -6))
    expect(names()).toEqual(['000000', '000001', '000002'])
    await queue.shift()
    expect(names()).toEqual(['000000', '000001', '000002'])
    await queue.shift()
    expect(names()).toEqual(['000001', '000002'])
    const refs = await queue.handOff()
    await queue.release(refs.slice(0, 2))
    expect(names()).toEqual(['000002'])
    await queue.release(refs.slice(2))
    expect(names()).toEqual([])
    await queue.dispose()
  })

  it('does not delete a file that is being appended to when its earlier frames are consumed', async () => {
    const gate = makeGate()
    let writes = 0
    const fileSystem = fileSystemWith({ write: async () => (++writes === 2 ? gate.opened : undefined) })
    const { queue } = await makeQueue(1e6, { fileSystem })
    await queue.push(makeBatch(1, 100))
    await queue.spill()
    await queue.push(makeBatch(2, 100))
    const spilled = queue.spill()
    expect(snapshot(await queue.shift())).toEqual(snapshot(makeBatch(1, 100)))
    gate.open()
    await spilled
    expect(snapshot(await queue.shift())).toEqual(snapshot(makeBatch(2, 100)))
    await queue.dispose()
  })

  it('refuses to write into a file of another build', async () => {
    const { queue, directory } = await makeQueue(1e6)
    await queue.push(makeBatch(1, 10))
    await queue.spill()
    const theirs = join(directory, 'theirs-000000.spill')
    await writeFile(theirs, 'not ours')
    const budget = new SpillBudget({ limitBytes: 0, pool: new BufferPool() })
    const second = new DiskBackedQueue<TestHeader>({ name: 'theirs', directory, budget })
    await expect(second.push(makeBatch(1, 10))).rejects.toMatchObject({ cause: { code: 'EEXIST' } })
    await second.dispose()
    expect(await readFile(theirs, 'utf8')).toBe('not ours')
    await queue.dispose()
  })

  it('reports a damaged frame with file and offset', async () => {
    const { queue } = await makeQueue(0)
    await queue.push(makeBatch(1, 100))
    await queue.push(makeBatch(2, 100))
    const path = queue.files[0]
    const bytes = await readFile(path)
    bytes[bytes.byteLength - 9] ^= 1
    await writeFile(path, bytes)
    expect((await queue.shift())?.header.number).toBe(1)
    await expect(queue.shift()).rejects.toMatchObject({
      code: 'SHARDLOOM_CORRUPT_SPILL',
      path,
      offset: bytes.byteLength / 2,
    })
    await queue.dispose()
  })

  it('refuses pushes after close, and still gives its batches', async () => {
    const { queue } = await makeQueue(1e6)
    await queue.push(makeBatch(1, 10))
    await queue.close()
    await queue.close()
    await expect(queue.push(makeBatch(2, 10))).rejects.toMatchObject({ code: 'SHARDLOOM_QUEUE_CLOSED' })
    expect((await queue.shift())?.header.number).toBe(1)
    await queue.dispose()
  })

  it('waits in dispose for a write under way, leaves no file or memory, and is idempotent', async () => {
    const [gate, started] = [makeGate(), makeGate()]
    const fileSystem = fileSystemWith({
      write: () => {
        started.open()
        return gate.opened
      },
    })
    const { queue, budget, directory } = await makeQueue(1e6, { fileSystem })
    for (const number of [1, 2, 3]) await queue.push(makeBatch(number, 1000))
    const spilled = queue.spill()
    await started.opened
    let disposed = false
    const disposing = queue.dispose().then(() => (disposed = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(disposed).toBe(false)
    expect(await readdir(directory)).toHaveLength(1)
    gate.open()
    await Promise.all([disposing, spilled])
    await queue.dispose()
    expect([await readdir(directory), budget.memoryBytes, queue.length.batches]).toEqual([[], 0, 0])
    await expect(queue.shift()).rejects.toMatchObject({ code: 'SHARDLOOM_QUEUE_CLOSED' })
  })

  it('disposes while pushes, of this and another queue, wait for its memory and a shift waits for them', async () => {
    const [gate, started] = [makeGate(), makeGate()]
    const directory = await makeDirectory()
    const fileSystem = fileSystemWith({
      write: () => {
        started.open()
        return gate.opened
      },
    })
    const batch = (number: number, size: number): ReturnType<typeof makeBatch> => ({
      ...makeBatch(number, 0),
      bytes: new Uint8Array(size),
    })
    const budget = new SpillBudget({ limitBytes: 11e6, pool: new BufferPool(), fileSystem })
    const [first, second] = ['first', 'second'].map(
      (name) => new DiskBackedQueue<TestHeader>({ name, directory, budget }),
    )
    // Two runs of one batch each: the second is still to be written when dispose stops the first queue's writes.
    for (const number of [0, 1]) await first.push(batch(number, 5e6))
    const outcomes = Promise.allSettled([
      second.push(batch(2, 10e6)),
      first.push(batch(3, 10e6)),
      first.shift(),
      first.handOff(),
    ])
    await started.opened
    const disposed = first.dispose()
    gate.open()
    await disposed
    const [otherPush, ownPush] = await outcomes
    expect(otherPush.status).toBe('fulfilled')
    expect(ownPush).toMatchObject({ status: 'rejected', reason: { code: 'SHARDLOOM_QUEUE_CLOSED' } })
    expect((await second.shift())?.header.number).toBe(2)
    await second.dispose()
    expect([await readdir(directory), budget.memoryBytes]).toEqual([[], 0])
  })

  it('hands off batches that are being written as frames on disk', async () => {
    const [gate, started] = [makeGate(), makeGate()]
    const fileSystem = fileSystemWith({
      write: () => {
        started.open()
        return gate.opened
      },
    })
    const { queue } = await makeQueue(1e6, { fileSystem })
    for (const number of [0, 1, 2]) await queue.push(makeBatch(number, 100))
    const spilled = queue.spill()
    await started.opened
    await queue.push(makeBatch(3, 100))
    const handedOff = queue.handOff()
    gate.open()
    await spilled
    const refs = await handedOff
    expect(refs.map(({ kind }) => kind)).toEqual(['file', 'file', 'file', 'memory'])
    expect(Array.from(readBatches<TestHeader>(refs), ({ header }) => header.number)).toEqual([0, 1, 2, 3])
    await queue.dispose()
  })

  it('gives handed-off memory back to the budget, but not to the pool, when disposed', async () => {
    const pool = new BufferPool()
    const { queue, budget } = await makeQueue(1e6, { pool })
    await queue.push({ header: { number: 1, ids: [] }, count: 1, bytes: pool.acquire(5000) })
    const refs = await queue.handOff()
    expect(budget.memoryBytes).toBeGreaterThan(5000)
    await queue.dispose()
    await queue.release(refs)
    expect([budget.memoryBytes, pool.freeBytes]).toEqual([0, 0])
  })

  it('refuses to release a ref that is not handed off', async () => {
    const { queue, budget } = await makeQueue(1e6)
    await queue.push(makeBatch(1, 10))
    const refs = await queue.handOff()
    await queue.release(refs)
    expect(budget.memoryBytes).toBe(0)
    await expect(queue.release(refs)).rejects.toThrow('a released ref is not handed off')
    await queue.dispose()
  })

  it('refuses invalid names and counts, and batches beyond one write', async () => {
    const { queue, budget, directory } = await makeQueue(1e6)
    expect(() => new DiskBackedQueue({ name: '../x', directory, budget })).toThrow('name: expected letters')
    for (const count of [-1, 0.5, 2 ** 32, NaN]) {
      await expect(queue.push({ ...makeBatch(1, 1), count })).rejects.toThrow('count: expected an integer')
    }
    await queue.dispose()
  })
})
