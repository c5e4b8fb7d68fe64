import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FanOut } from '../../src/pipeline/layer/fan-out.js'
import { makeRun } from '../fixtures/tasks.js'

describe('FanOut', () => {
  it.each([
    [1e9, false],
    [1e9, true],
    [0, false],
    [0, true],
  ])(
    'gives each queue its records, in order, none split (limit %d, fixed length %s)',
    async (limitBytes, fixedLength) => {
      const runs = fc.array(
        fc.record({
          partition: fc.integer({ min: 0, max: 3 }),
          count: fc.integer({ min: 0, max: 30 }),
          bytes: fc.integer({ min: 1, max: 50 }),
        }),
        { maxLength: 40 },
      )
      await fc.assert(
        fc.asyncProperty(runs, async (given) => {
          const run = makeRun({}, { limitBytes, batchBytes: 256 })
          const queues = Array.from({ length: 4 }, (_, i) => run.queues.open<null>(`queue-${i}`))
          const out = new FanOut(queues, run.queues)
          const expected = queues.map((): number[] => [])
          const counts = queues.map(() => 0)
          const scratch = new Uint8Array(30 * 50)
          let next = 0
          for (const { partition, count, bytes } of given) {
            const recordBytes = fixedLength ? 24 : bytes
            const records = scratch.subarray(0, count * recordBytes)
            records.forEach((_, i) => (records[i] = next = (next + 1) & 0xff))
            expected[partition].push(...records)
            counts[partition] += count
            await out.append(partition, records, count, fixedLength)
            // The caller's buffer is the caller's again.
            scratch.fill(0)
          }
          await out.flush()
          for (const [i, queue] of queues.entries()) {
            await queue.close()
            const found: number[] = []
            let count = 0
            for await (const batch of queue) {
              if (fixedLength) expect(batch.bytes.length).toBe(batch.count * 24)
              found.push(...batch.bytes)
              count += batch.count
            }
            expect(found).toEqual(expected[i])
            expect(count).toBe(counts[i])
            await queue.dispose()
          }
        }),
        { numRuns: 40 },
      )
    },
  )

  it('gathers small runs into batches of the size asked for', async () => {
    const { queues } = makeRun({}, { batchBytes: 4096 })
    const queue = queues.open<null>('queue')
    const out = new FanOut([queue], queues)
    for (let i = 0; i < 1000; i++) await out.append(0, new Uint8Array(16), 1)
    await out.flush()
    expect(queue.length).toMatchObject({ batches: Math.ceil(16_000 / 4096), vectors: 1000 })
  })

  it('takes a record larger than a batch', async () => {
    const { queues } = makeRun({}, { batchBytes: 64 })
    const queue = queues.open<null>('queue')
    const out = new FanOut([queue], queues)
    await out.append(0, new Uint8Array(8).fill(1), 1)
    await out.append(0, new Uint8Array(5000).fill(2), 1)
    await out.append(0, new Uint8Array(8).fill(3), 1)
    await out.flush()
    await queue.close()
    const bytes: number[] = []
    for await (const batch of queue) bytes.push(...batch.bytes)
    expect(bytes).toEqual([
      ...new Array<number>(8).fill(1),
      ...new Array<number>(5000).fill(2),
      ...new Array<number>(8).fill(3),
    ])
  })

  it('passes on the failure of a queue', async () => {
    const { queues } = makeRun({}, { batchBytes: 64 })
    const queue = queues.open<null>('queue')
    const out = new FanOut([queue], queues)
    await out.append(0, new Uint8Array(60), 1)
    await queue.close()
    await expect(out.append(0, new Uint8Array(60), 1)).rejects.toThrow()
    await expect(out.flush()).rejects.toThrow()
  })
})
