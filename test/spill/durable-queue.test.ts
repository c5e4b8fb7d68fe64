import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchBytes } from '../../spill/batch.js'
import { BufferPool } from '../../spill/buffer-pool.js'
import { DurableQueue } from '../../spill/durable-queue.js'
import { checkQueue, cutQueue } from '../../spill/files/recover-queue.js'
import { readBatches } from '../../spill/read-batches.js'
import { SpillBudget } from '../../spill/spill-budget.js'
import type { Batch } from '../../spill/batch.js'
import { fileSystemWith, makeBatch, makeDirectory, snapshot, type TestHeader } from '../fixtures/batches.js'
import { runs } from '../whole.js'

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ push: fc.array(fc.nat(3000), { minLength: 1, maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ limitBytes: fc.constantFrom(0, 500, 9000, Infinity) }) },
  { weight: 1, arbitrary: fc.record({ handOff: fc.constant(true) }) },
)

function pooledBatch(pool: BufferPool, number: number, size: number): Batch<TestHeader> {
  const made = makeBatch(number, size)
  const bytes = pool.acquire(size)
  bytes.set(made.bytes)
  return { ...made, bytes }
}

describe('DurableQueue', () => {
  it('is FIFO and within its budget in any life, and a later process can continue from its files at any batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 500, 3000, 30_000, Infinity),
        fc.integer({ min: 50, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (steps, limitBytes, callBytes, share) => {
          const directory = join(await makeDirectory(), 'spill')
          const fileSystem = fileSystemWith({ callBytes: () => callBytes })
          const pool = new BufferPool()
          const budget = new SpillBudget({ limitBytes, pool, fileSystem })
          const queue = new DurableQueue<TestHeader>({ name: 'queue', directory, budget })
          const all: unknown[] = []
          const expected: unknown[] = []
          let largest = 0
          for (const action of steps) {
            if ('push' in action) {
              for (const size of action.push) {
                const batch = pooledBatch(pool, all.length, size)
                largest = Math.max(largest, batchBytes(batch))
                expected.push(snapshot(batch))
                all.push(snapshot(batch))
                await queue.push(batch)
              }
            } else if ('shift' in action) {
              for (let i = 0; i < action.shift; i++) {
                const batch = await queue.shift()
                expect(snapshot(batch)).toEqual(expected.shift())
                if (batch !== undefined) pool.release(batch.bytes)
              }
            } else if ('limitBytes' in action) {
              budget.limitBytes = action.limitBytes
            } else {
              const refs = await queue.handOff()
              expect(Array.from(readBatches<TestHeader>(refs), snapshot)).toEqual(expected.splice(0))
              await queue.release(refs)
            }
            if (!steps.some((one) => 'limitBytes' in one)) {
              expect(budget.memoryBytes).toBeLessThanOrEqual(limitBytes + largest)
            }
          }
          expect(queue.pushedBatches).toBe(all.length)
          await queue.stored(all.length)
          await queue.dispose()
          expect(budget.memoryBytes).toBe(0)

          const wanted = Math.floor(share * all.length)
          const checked = await checkQueue(directory, 'queue', wanted)
          expect(checked.batches).toBeGreaterThanOrEqual(wanted)
          const recovered = await cutQueue(directory, 'queue', checked, wanted)
          expect(recovered.batches).toBe(wanted)
          const later = new DurableQueue<TestHeader>({
            name: 'queue',
            directory,
            budget: new SpillBudget({ limitBytes, pool: new BufferPool() }),
            recovered: recovered.files,
          })
          await later.push(makeBatch(1000, 10))
          const got: unknown[] = []
          for await (const batch of later) got.push(snapshot(batch))
          expect(got).toEqual([...all.slice(0, wanted), snapshot(makeBatch(1000, 10))])
          await later.dispose()
        },
      ),
      { numRuns: runs(100) },
    )
  })

  it('keeps written batches in memory while there is room, so that nothing is read again', async () => {
    const directory = await makeDirectory()
    let reads = 0
    const fileSystem = fileSystemWith({
      open: (_, flags) => {
        if (flags === 'r') reads++
        return Promise.resolve()
      },
    })
    const budget = new SpillBudget({ limitBytes: 1e6, pool: new BufferPool(), fileSystem })
    const queue = new DurableQueue<TestHeader>({ name: 'queue', directory, budget })
    const batches = [makeBatch(0, 1000), makeBatch(1, 1000)]
    for (const batch of batches) await queue.push(batch)
    await queue.stored(2)
    expect(queue.length.disk.batches).toBe(2)
    expect(queue.takeUnsyncedFiles()).toEqual(queue.files)
    expect(queue.takeUnsyncedFiles()).toEqual([])
    expect(await queue.shift()).toBe(batches[0])
    expect(await queue.handOff()).toEqual([{ kind: 'memory', batch: batches[1] }])
    expect(reads).toBe(0)
    await queue.dispose()
    expect(await readdir(directory)).toEqual(['queue-000000.spill'])
  })

  it('tells what it wrote beside a copy in memory from what had no room there', async () => {
    const directory = await makeDirectory()
    const written = async (limitBytes: number): Promise<[number, number]> => {
      const budget = new SpillBudget({ limitBytes, pool: new BufferPool() })
      const queue = new DurableQueue<TestHeader>({ name: `queue-${limitBytes}`, directory, budget })
      for (const number of [0, 1]) await queue.push(makeBatch(number, 1000))
      await queue.stored(2)
      await queue.dispose()
      return [budget.copiedBytes, budget.spilledBytes]
    }
    const [copied, spilled] = await written(1e6)
    expect(spilled).toBeGreaterThan(2000)
    expect(copied).toBe(spilled)
    expect(await written(0)).toEqual([0, spilled])
  })

  it('recovers nothing after a torn file', async () => {
    const directory = await makeDirectory()
    const budget = new SpillBudget({ limitBytes: 1e9, pool: new BufferPool() })
    const queue = new DurableQueue<TestHeader>({ name: 'queue', directory, budget })
    // Two of these do not fit one file.
    for (const number of [0, 1, 2]) {
      await queue.push(makeBatch(number, 40e6))
      await queue.stored(number + 1)
    }
    await queue.dispose()
    expect(await readdir(directory)).toHaveLength(3)
    const second = join(directory, 'queue-000001.spill')
    await truncate(second, (await stat(second)).size - 1)
    const checked = await checkQueue(directory, 'queue', 3)
    expect(checked).toMatchObject({ batches: 1, damage: undefined })
    expect(await readdir(directory)).toHaveLength(3)
    expect(await cutQueue(directory, 'queue', checked, 1)).toEqual({ files: checked.files, batches: 1 })
    expect(await readdir(directory)).toEqual(['queue-000000.spill'])
  })
})
