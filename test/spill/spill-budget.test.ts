import { readdir } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchBytes } from '../../spill/batch.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { DiskBackedQueue } from '../../spill/disk-backed-queue.js'
import { SpillBudget } from '../../spill/spill-budget.js'
import type { SpillFileSystem } from '../../spill/files/spill-file.js'
import {
  fileSystemWith,
  makeBatch,
  makeDirectory,
  makeGate,
  snapshot,
  systemError,
  type TestHeader,
} from '../fixtures/batches.js'

async function makeQueues(
  limitBytes: number,
  names: readonly string[],
  fileSystem?: SpillFileSystem,
): Promise<{ queues: DiskBackedQueue<TestHeader>[]; budget: SpillBudget; directory: string }> {
  const directory = await makeDirectory()
  const budget = new SpillBudget({ limitBytes, pool: new BufferPool(), fileSystem })
  const queues = names.map((name) => new DiskBackedQueue<TestHeader>({ name, directory, budget }))
  return { queues, budget, directory }
}

async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  )
  return Promise.race([settled, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 30))])
}

const charge = batchBytes(makeBatch(1, 1000))

describe('SpillBudget', () => {
  it('keeps several queues FIFO and within one limit, for any concurrent pushes', async () => {
    const pushes = fc.array(fc.record({ at: fc.nat(2), size: fc.nat(4000), wait: fc.boolean() }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(pushes, fc.integer({ min: 0, max: 40_000 }), async (steps, limitBytes) => {
        const { queues, budget, directory } = await makeQueues(limitBytes, ['a', 'b', 'c'])
        const expected: unknown[][] = [[], [], []]
        const pending: Promise<void>[] = []
        let largest = 0
        for (const [number, { at, size, wait }] of steps.entries()) {
          const batch = makeBatch(number, size)
          largest = Math.max(largest, batchBytes(batch))
          expected[at].push(snapshot(batch))
          pending.push(queues[at].push(batch))
          if (wait) await Promise.all(pending)
        }
        await Promise.all(pending)
        expect(budget.peakMemoryBytes).toBeLessThanOrEqual(limitBytes + largest)
        for (const [at, queue] of queues.entries()) {
          const got: unknown[] = []
          for await (const batch of queue) got.push(snapshot(batch))
          expect(got).toEqual(expected[at])
        }
        expect(budget.peakMemoryBytes).toBeLessThanOrEqual(limitBytes + largest)
        expect(budget.memoryBytes).toBe(0)
        await Promise.all(queues.map((queue) => queue.dispose()))
        expect(await readdir(directory)).toEqual([])
      }),
    )
  })

  it('spills the queue with the largest buffer first', async () => {
    const { queues, budget } = await makeQueues(8 * charge, ['small', 'large'])
    const [small, large] = queues
    for (let number = 0; number < 3; number++) await small.push(makeBatch(1, 1000))
    for (let number = 0; number < 5; number++) await large.push(makeBatch(1, 1000))
    expect(budget.spilledBytes).toBe(0)
    await small.push(makeBatch(1, 1000))
    await large.close()
    expect([small.length.disk.batches, large.length.disk.batches]).toEqual([0, 5])
    await Promise.all(queues.map((queue) => queue.dispose()))
  })

  it('looks through its queues once per spill, not once per push', async () => {
    const budget = new SpillBudget({ limitBytes: 100, pool: new BufferPool() })
    let [held, looks] = [100, 0]
    const queue = {
      get spillableBytes() {
        looks++
        return held
      },
      startSpill: () => {
        held -= 50
        budget.startedWriting(50)
      },
      dropReadAhead: () => undefined,
      written: () => Promise.resolve(),
    }
    budget.add(queue)
    expect(budget.tryCharge(held)).toBe(true)
    for (let push = 0; push < 20; push++) {
      const pushed = budget.charge(queue, 1, () => held++)
      await Promise.resolve()
      budget.finishedWriting(1, 1)
      await pushed
    }
    expect(held).toBe(70)
    expect(looks).toBeLessThan(5)
  })

  it('does not count handed-off batches when it chooses a queue, and cannot spill them', async () => {
    const { queues } = await makeQueues(8 * charge, ['handed', 'other'])
    const [handed, other] = queues
    for (let number = 0; number < 5; number++) await handed.push(makeBatch(1, 1000))
    const refs = await handed.handOff()
    for (let number = 0; number < 4; number++) await other.push(makeBatch(1, 1000))
    await other.close()
    expect(other.length.disk.batches).toBeGreaterThan(0)
    expect(refs.every(({ kind }) => kind === 'memory')).toBe(true)
    await Promise.all(queues.map((queue) => queue.dispose()))
  })

  it('writes a push at once when all memory is handed off, and holds batches again after release', async () => {
    const { queues, budget } = await makeQueues(2 * charge, ['a'])
    const [queue] = queues
    for (let number = 0; number < 2; number++) await queue.push(makeBatch(1, 1000))
    const refs = await queue.handOff()
    for (let number = 0; number < 3; number++) {
      await queue.push(makeBatch(1, 1000))
      expect(budget.memoryBytes).toBe(2 * charge)
    }
    expect(queue.length.disk.batches).toBe(3)
    expect(budget.peakMemoryBytes).toBe(3 * charge)
    await queue.release(refs)
    await queue.push(makeBatch(1, 1000))
    expect(queue.length.memory.batches).toBe(1)
    await queue.dispose()
  })

  it('lets a push wait until there is room, and later pushes after it', async () => {
    const gate = makeGate()
    const { queues } = await makeQueues(2 * charge, ['a', 'b'], fileSystemWith({ write: () => gate.opened }))
    const [first, second] = queues
    for (let number = 0; number < 2; number++) await first.push(makeBatch(number, 1000))
    const waiting = first.push(makeBatch(2, 1000))
    const behind = second.push(makeBatch(3, 0))
    expect(await settlesSoon(waiting)).toBe(false)
    expect(await settlesSoon(behind)).toBe(false)
    gate.open()
    await Promise.all([waiting, behind])
    await Promise.all(queues.map((queue) => queue.dispose()))
  })

  it('accepts pushes that fit while a write is under way', async () => {
    const gate = makeGate()
    let writes = 0
    const fileSystem = fileSystemWith({ write: async () => (++writes > 1 ? gate.opened : undefined) })
    // Runs of one batch each: two batches of 5 MB exceed a run.
    const batch = (number: number): ReturnType<typeof makeBatch> => ({
      ...makeBatch(number, 0),
      bytes: new Uint8Array(5e6),
    })
    const { queues } = await makeQueues(4 * batchBytes(batch(1)), ['a'], fileSystem)
    const [queue] = queues
    for (let number = 0; number < 5; number++) await queue.push(batch(number))
    expect(queue.length.disk.batches).toBe(1)
    gate.open()
    await queue.dispose()
  })

  it('drops batches that were read ahead before it writes any', async () => {
    const { queues, budget } = await makeQueues(8 * charge, ['ahead', 'other'])
    const [ahead, other] = queues
    for (let number = 0; number < 6; number++) await ahead.push(makeBatch(number, 1000))
    await ahead.spill()
    const { spilledBytes } = budget
    expect((await ahead.shift())?.header.number).toBe(0)
    expect(budget.memoryBytes).toBeGreaterThan(4000)
    for (let number = 0; number < 5; number++) await other.push(makeBatch(number, 1000))
    expect([budget.spilledBytes, budget.memoryBytes]).toEqual([spilledBytes, 5 * charge])
    for (let number = 1; number < 6; number++) expect((await ahead.shift())?.header.number).toBe(number)
    await Promise.all(queues.map((queue) => queue.dispose()))
    expect(budget.memoryBytes).toBe(0)
  })

  it('admits a waiting push when the limit is raised', async () => {
    const gate = makeGate()
    const { queues, budget } = await makeQueues(2 * charge, ['a'], fileSystemWith({ write: () => gate.opened }))
    const [queue] = queues
    for (let number = 0; number < 2; number++) await queue.push(makeBatch(number, 1000))
    const waiting = queue.push(makeBatch(2, 1000))
    expect(await settlesSoon(waiting)).toBe(false)
    budget.limitBytes = 3 * charge
    await waiting
    gate.open()
    await queue.dispose()
  })

  it('spills at once when the limit is lowered', async () => {
    const { queues, budget } = await makeQueues(10 * charge, ['a'])
    const [queue] = queues
    for (let number = 0; number < 10; number++) await queue.push(makeBatch(number, 1000))
    budget.limitBytes = 4 * charge
    await queue.close()
    expect(budget.memoryBytes).toBeLessThanOrEqual(4 * charge)
    expect(budget.limitBytes).toBe(4 * charge)
    expect(() => (budget.limitBytes = NaN)).toThrow('limitBytes: expected a number of bytes')
    await queue.dispose()
  })

  it('throws the error of a background write in the next push, shift and close of every queue, and disposes cleanly', async () => {
    const fileSystem = fileSystemWith({
      write: async () => {
        throw systemError('EIO')
      },
    })
    const { queues, budget, directory } = await makeQueues(10 * charge, ['a', 'b'], fileSystem)
    const [first, second] = queues
    for (let number = 0; number < 4; number++) await first.push(makeBatch(number, 1000))
    await second.push(makeBatch(9, 10))
    budget.limitBytes = charge
    // Nothing awaits that write: an unhandled rejection would fail the test run.
    await new Promise((resolve) => setTimeout(resolve, 30))
    const failure = { code: 'SHARDLOOM_SPILL_FAILED', cause: { code: 'EIO' } }
    await expect(first.push(makeBatch(5, 1))).rejects.toMatchObject(failure)
    await expect(second.push(makeBatch(5, 1))).rejects.toMatchObject(failure)
    await expect(second.shift()).rejects.toMatchObject(failure)
    await expect(second.handOff()).rejects.toMatchObject(failure)
    await expect(second.spill()).rejects.toMatchObject(failure)
    await expect(first.close()).rejects.toMatchObject(failure)
    await Promise.all(queues.map((queue) => queue.dispose()))
    expect([await readdir(directory), budget.memoryBytes]).toEqual([[], 0])
  })

  it('throws the error in pushes and shifts that were waiting', async () => {
    const gate = makeGate()
    const fileSystem = fileSystemWith({
      write: async () => {
        await gate.opened
        throw systemError('EIO')
      },
    })
    const { queues } = await makeQueues(2 * charge, ['a'], fileSystem)
    const [queue] = queues
    for (let number = 0; number < 2; number++) await queue.push(makeBatch(number, 1000))
    const outcomes = Promise.allSettled([
      queue.push(makeBatch(2, 1000)),
      queue.push(makeBatch(3, 1000)),
      queue.shift(),
      queue.close(),
    ])
    gate.open()
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { cause: { code: 'EIO' } } })
    }
    await queue.dispose()
  })

  it('throws for a header that msgpack cannot hold, with its cause', async () => {
    const { budget, directory } = await makeQueues(0, [])
    const queue = new DiskBackedQueue<unknown>({ name: 'q', directory, budget })
    const push = queue.push({ header: { notData: Symbol('not data') }, count: 1, bytes: new Uint8Array(8) })
    await expect(push).rejects.toMatchObject({ code: 'SHARDLOOM_SPILL_FAILED', cause: expect.any(Error) as Error })
    await queue.dispose()
  })
})
