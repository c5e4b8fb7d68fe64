import { describe, expect, it } from 'vitest'
import { decideBudget, readMemoryFacts } from '../../src/memory/memory-budget.js'

const GB = 1e9
const facts = (availableGB: number, cgroupGB?: number): Parameters<typeof decideBudget>[1] => ({
  availableBytes: availableGB * GB,
  cgroupBytes: cgroupGB === undefined ? undefined : cgroupGB * GB,
})

describe('decideBudget', () => {
  it.each([
    // memory option, available, cgroup → budget, by
    [undefined, 10, undefined, 8, 'available memory'],
    [undefined, 10, 4, 4, 'cgroup limit'],
    [undefined, 10, 9, 8, 'available memory'],
    [undefined, 10, 8, 8, 'cgroup limit'],
    [2, 10, undefined, 2, 'memory option'],
    [2, 10, 4, 2, 'memory option'],
    [8, 10, undefined, 8, 'memory option'],
    [9, 10, undefined, 8, 'available memory'],
    [9, 10, 4, 4, 'cgroup limit'],
  ] as const)(
    'memory option %s GB, %s GB available, cgroup %s GB: %s GB by the %s',
    (wish, available, cgroup, budget, by) => {
      const decided = decideBudget(wish === undefined ? undefined : wish * GB, facts(available, cgroup))
      expect(decided).toMatchObject({ budgetBytes: budget * GB, decidedBy: by })
    },
  )

  it('warns, with both numbers, only when the caller asked for more than there is', () => {
    expect(decideBudget(9 * GB, facts(10, 4)).warning).toBe(
      'memory is 9000 MB, but 4000 MB are available (cgroup limit); planning with the smaller',
    )
    expect(decideBudget(3 * GB, facts(10, 4)).warning).toBeUndefined()
    expect(decideBudget(undefined, facts(10, 4)).warning).toBeUndefined()
  })
})

describe('readMemoryFacts', () => {
  it('reads the memory of this machine', () => {
    const { availableBytes, cgroupBytes } = readMemoryFacts()
    expect(availableBytes).toBeGreaterThan(1e6)
    if (cgroupBytes !== undefined) expect(cgroupBytes).toBeGreaterThan(1e6)
  })
})
