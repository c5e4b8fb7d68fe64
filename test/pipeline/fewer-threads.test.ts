import { describe, expect, it } from 'vitest'
import { engineByName } from '../../src/engines/engine-by-name.js'
import { planStages } from '../../src/pipeline/plan-stages.js'
import { whyFewerThreads } from '../../src/pipeline/run/plan-stage.js'
import { threadsForCores, usefulThreads } from '../../src/plan/useful-threads.js'
import type { BuildPlan } from '../../src/plan/plan-build.js'

const CORES = 8

function planFor(count: number, asked: number, budgetBytes = 64e9): BuildPlan {
  const engine = engineByName('pipnn')
  const threads = Math.min(asked, threadsForCores(CORES))
  return planStages({ count, dimensions: 128, metric: 'l2', m: 16, engine, budgetBytes, threads, idBytes: 16 })
}

function reasonFor(plan: BuildPlan, asked: number, hasThreads = true): string | undefined {
  return whyFewerThreads(plan, { threads: asked, hasThreads, quantization: 'f32' }, CORES)
}

describe('threads of a build', () => {
  it.each([8, 200, 1000])('are no more than the work keeps busy: %i asked for 200 vectors', (asked) => {
    const plan = planFor(200, asked)
    expect(plan.threads).toBe(1)
    expect(reasonFor(plan, asked)).toBe(
      `1 worker thread of the ${asked} that were asked for: 200 vectors of 128 dimensions have no work for more`,
    )
  })

  it('are no more than twice the cores', () => {
    const plan = planFor(10_000_000, 1000)
    expect(plan.threads).toBe(16)
    expect(reasonFor(plan, 1000)).toBe(
      '16 worker threads of the 1000 that were asked for: more than 16 on 8 cores gain nothing',
    )
  })

  it('are no more than memory has room for, which is said of a default too', () => {
    const plan = planFor(1_000_000, 8, 600e6)
    expect(plan.threads).toBeLessThan(8)
    expect(reasonFor(plan, 8, false)).toBe(`memory for ${plan.threads} of 8 worker threads (600 MB)`)
  })

  it('are as many as were asked for when there is work and memory, and nothing is said', () => {
    const plan = planFor(1_000_000, 12)
    expect(plan.threads).toBe(12)
    expect(reasonFor(plan, 12)).toBeUndefined()
  })

  it('are fewer than the cores without a word when nobody asked', () => {
    expect(reasonFor(planFor(200, CORES), CORES, false)).toBeUndefined()
  })

  it('are more for pq, whose training is long', () => {
    const work = { count: 10_000, dimensions: 128 }
    expect(usefulThreads({ ...work, quantization: 'pq' }, 1)).toBeGreaterThan(usefulThreads(work, 1))
  })
})
