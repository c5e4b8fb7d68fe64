import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideSharedBudget } from '../../src/memory/memory-budget.js'
import { claimsOfBuilds, RunningBuild, shareOfMemory, sumOfClaims } from '../../src/memory/running-builds.js'
import type { MemoryClaim } from '../../src/memory/running-builds.js'

const GB = 1e9
const given = (bytes: number): MemoryClaim => ({ bytes, isDefault: false })
const byDefault = (bytes: number): MemoryClaim => ({ bytes, isDefault: true })

describe('shareOfMemory', () => {
  it.each([
    { others: [], share: 20 },
    { others: [given(5 * GB)], share: 15 },
    { others: [byDefault(5 * GB)], share: 15 },
    { others: [byDefault(20 * GB)], share: 10 },
    { others: [byDefault(20 * GB), given(8 * GB)], share: 6 },
    { others: [given(25 * GB)], share: 0 },
  ])('of 20 GB beside $others is $share GB', ({ others, share }) => {
    expect(shareOfMemory(20 * GB, others)).toBe(share * GB)
  })

  it('adds up to no more than there is, when builds that began together have made their plans', () => {
    const asks = fc.array(fc.record({ isDefault: fc.boolean(), bytes: fc.integer({ min: 1, max: 3e9 }) }), {
      maxLength: 9,
    })
    fc.assert(
      fc.property(asks, (builds) => {
        const running = builds.map(({ isDefault, bytes }, i) => {
          const before = builds.slice(0, i)
          return isDefault ? byDefault(shareOfMemory(30 * GB, before)) : given(bytes)
        })
        running.forEach((claim, i) => {
          if (!claim.isDefault) return
          const others = running.filter((_, other) => other !== i)
          running[i] = byDefault(Math.min(claim.bytes, shareOfMemory(30 * GB, others)))
        })
        expect(sumOfClaims(running)).toBeLessThanOrEqual(30 * GB)
      }),
    )
  })
})

describe('decideSharedBudget', () => {
  const facts = { availableBytes: 25 * GB, cgroupBytes: undefined }

  it('leaves the claims of other builds, and does not subtract twice what they hold already', () => {
    const others = [given(8 * GB)]
    const fresh = decideSharedBudget(undefined, facts, { others, processBytes: 0 })
    const used = decideSharedBudget(undefined, { ...facts, availableBytes: 19 * GB }, { others, processBytes: 6 * GB })
    expect(fresh).toMatchObject({ budgetBytes: 12 * GB, decidedBy: 'other builds' })
    expect(used).toEqual(fresh)
    expect(fresh.warning).toContain('1 other build runs in this process: planning with 12000 MB of the 20000 MB')
  })

  it('leaves a given memory as it is', () => {
    const decided = decideSharedBudget(15 * GB, facts, { others: [given(8 * GB)], processBytes: 0 })
    expect(decided).toEqual({ budgetBytes: 15 * GB, decidedBy: 'memory option', warning: undefined })
  })
})

describe('RunningBuild', () => {
  it('is known to others from its start to its end, with what its plan needs', () => {
    const [first, second] = [new RunningBuild(byDefault(5)), new RunningBuild(given(3))]
    expect([first.hasNewer, second.hasNewer]).toEqual([true, false])
    first.lowerTo(4)
    first.lowerTo(9)
    expect(first.others).toEqual([given(3)])
    expect(second.others).toEqual([byDefault(4)])
    first.close()
    first.lowerTo(1)
    expect(second.others).toEqual([])
    second.close()
    expect(claimsOfBuilds()).toEqual([])
  })
})
