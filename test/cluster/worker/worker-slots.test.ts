import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitsAlone, shareSlots, spareBytesOf, type SlotsWanted } from '../../../src/cluster/worker/worker-slots.js'
import { runs } from '../../whole.js'

const build = (queue: string, more: Partial<SlotsWanted> = {}): SlotsWanted => ({
  queue,
  hostBytes: 100,
  taskBytes: 50,
  isBusy: true,
  ...more,
})

const slotsOf = (threads: number, memoryBytes: number, ...builds: SlotsWanted[]): number[] => [
  ...shareSlots({ threads, memoryBytes }, builds).values(),
]

describe('the slots of a host', () => {
  it('are its threads while its memory allows that, for one build', () => {
    expect(slotsOf(8, 1e6, build('a', { isBusy: false }))).toEqual([8])
    expect(slotsOf(8, 299, build('a'))).toEqual([3])
    expect(slotsOf(8, 150, build('a'))).toEqual([1])
    expect(slotsOf(8, 149, build('a'))).toEqual([0])
  })

  it('are divided evenly among builds that have tasks', () => {
    expect(slotsOf(8, 1e6, build('a'), build('b'))).toEqual([4, 4])
    expect(slotsOf(8, 1e6, build('a'), build('b'), build('c'))).toEqual([3, 3, 2])
  })

  it('are one for a build without tasks, beside all threads for one that has some', () => {
    expect(slotsOf(8, 1e6, build('a', { isBusy: false }), build('b'))).toEqual([1, 8])
  })

  it('are one each when there are more busy builds than threads', () => {
    expect(slotsOf(1, 1e6, build('a'), build('b'), build('c'))).toEqual([1, 1, 1])
  })

  it('are none for a build that memory has no room for beside the others, and then it gets its turn', () => {
    const builds = [build('a'), build('b'), build('c', { isBusy: false })]
    expect(slotsOf(4, 300, ...builds)).toEqual([1, 1, 0])
    expect(slotsOf(4, 300, build('a', { isBusy: false }), build('b'), build('c'))).toEqual([0, 1, 1])
  })

  it('never take more memory than there is, use no more threads than one each, and do not depend on the order', () => {
    const any = fc.record({ hostBytes: fc.nat(1000), taskBytes: fc.nat(300), isBusy: fc.boolean() })
    fc.assert(
      fc.property(
        fc.array(any, { maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(5000),
        (all, threads, memoryBytes) => {
          const host = { threads, memoryBytes }
          const builds = all.map((each, i) => ({ queue: `build-${i}`, ...each }))
          const slots = shareSlots(host, builds)
          const bytes = builds.reduce((sum, { queue, hostBytes, taskBytes }) => {
            const own = slots.get(queue) ?? 0
            return sum + (own === 0 ? 0 : hostBytes + own * taskBytes)
          }, 0)
          expect(bytes).toBeLessThanOrEqual(memoryBytes)
          const counts = [...slots.values()]
          const beyondOne = counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0)
          expect(beyondOne).toBeLessThan(threads)
          expect(shareSlots(host, builds.toReversed())).toEqual(slots)
          if (builds.length === 1) expect(counts[0] > 0).toBe(fitsAlone(host, builds[0]))
        },
      ),
      { numRuns: runs(1000) },
    )
  })
})

describe('spareBytesOf', () => {
  const build = (hostBytes: number, taskBytes: number) => ({ queue: 'a', hostBytes, taskBytes, isBusy: true })

  it('is what each thread has beyond the largest task, with all builds held', () => {
    expect(spareBytesOf({ threads: 4, memoryBytes: 1000 }, [build(100, 50), build(100, 80)])).toBe(120)
  })

  it('is nothing when memory is short', () => {
    expect(spareBytesOf({ threads: 4, memoryBytes: 300 }, [build(100, 80)])).toBe(0)
  })
})
