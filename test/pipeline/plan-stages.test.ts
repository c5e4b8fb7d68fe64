import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engineByName } from '../../src/engines/engine-by-name.js'
import { InsufficientMemoryError } from '../../src/errors.js'
import { type BuildPlan, type PlanFacts } from '../../src/plan/plan-build.js'
import { planStages } from '../../src/pipeline/plan-stages.js'
import { sampleRows } from '../../src/plan/sample-rows.js'
import { segmentAimBytes } from '../../src/plan/segment-size.js'
import { QUANTIZATIONS } from '../../src/api/report.js'

const MB = 1e6
const BASE: PlanFacts = {
  count: 100_000,
  dimensions: 128,
  metric: 'l2',
  m: 16,
  engine: engineByName('hnswlib-wasm'),
  budgetBytes: 4e9,
  threads: 2,
  idBytes: 16,
}
const plan = (changes: Partial<PlanFacts> = {}): BuildPlan => planStages({ ...BASE, ...changes })

function planOrUndefined(changes: Partial<PlanFacts>): BuildPlan | undefined {
  try {
    return plan(changes)
  } catch (error) {
    expect(error).toBeInstanceOf(InsufficientMemoryError)
    return undefined
  }
}

function refusal(changes: Partial<PlanFacts>): InsufficientMemoryError {
  try {
    plan(changes)
  } catch (error) {
    if (error instanceof InsufficientMemoryError) return error
    throw error
  }
  throw new Error('the plan did not refuse')
}

/** The least whole MB a plan starts with, by trying. */
function leastMB(changes: Partial<PlanFacts>): number {
  let low = 1
  let high = 65_536
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (planOrUndefined({ ...changes, budgetBytes: middle * MB }) === undefined) low = middle
    else high = middle
  }
  return high
}

const shapes = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 50_000_000 })),
  dimensions: fc.integer({ min: 1, max: 1000 }),
  metric: fc.constantFrom('l2' as const, 'cosine' as const, 'ip' as const),
  m: fc.integer({ min: 4, max: 64 }),
  threads: fc.integer({ min: 1, max: 32 }),
  idBytes: fc.integer({ min: 0, max: 100 }),
  fieldBytes: fc.integer({ min: 0, max: 1000 }),
  quantization: fc.constantFrom(...QUANTIZATIONS),
})

describe('planStages', () => {
  it('with room keeps everything in memory: all threads, codes, search, and no queue has to spill', () => {
    const { threads, gridInMemory, searchInMemory, reducedShards, queueBytes } = plan()
    expect({ threads, gridInMemory, searchInMemory, reducedShards }).toEqual({
      threads: 2,
      gridInMemory: true,
      searchInMemory: true,
      reducedShards: false,
    })
    expect(queueBytes).toBeGreaterThan(100_000 * (4 * 128 + 2 * 128))
  })

  it('counts fields on disk, in temporary files, and as a stage of their own', () => {
    const [without, withFields] = [plan(), plan({ fieldBytes: 100 })]
    expect(without.stages.some(({ name }) => name === 'fields')).toBe(false)
    const stage = withFields.stages.find(({ name }) => name === 'fields')
    expect(stage?.bytes).toBeGreaterThan(32 * 2 ** 20)
    // Rows and columns; rows in the queue of ingest, on their way to nodes, and as sorted runs.
    expect(withFields.indexBytes - without.indexBytes).toBeGreaterThanOrEqual(2 * 100 * 100_000)
    expect(withFields.temporaryBytes - without.temporaryBytes).toBeGreaterThanOrEqual(3 * 100 * 100_000)
    expect(withFields.geometry).toEqual(without.geometry)
  })

  it('fixes the geometry by count and engine, whatever memory and threads', () => {
    const geometry = plan().geometry
    expect(geometry).toEqual({ shardCount: 25, overlap: 2, shardMembers: 8000 })
    for (const budgetBytes of [200e6, 300e6, 1e9, 64e9]) {
      for (const threads of [1, 2, 16]) expect(plan({ budgetBytes, threads }).geometry).toEqual(geometry)
    }
  })

  it('gives up, as memory shrinks, first buffers, then codes in memory and workers, and shard size last', () => {
    const budgets = Array.from({ length: 80 }, (_, i) => 4e9 * 0.95 ** i)
    const plans = budgets
      .map((budgetBytes) => planOrUndefined({ budgetBytes, threads: 8 }))
      .filter((p) => p !== undefined)
    const firstWhere = (changed: (p: BuildPlan) => boolean): number => plans.findIndex(changed)
    const roomy = plans[0]
    const lessBuffer = firstWhere((p) => p.queueBytes < roomy.queueBytes)
    const fewerThreads = firstWhere((p) => p.threads < 8)
    const smaller = firstWhere((p) => p.reducedShards)
    expect(lessBuffer).toBeGreaterThan(0)
    expect(fewerThreads).toBeGreaterThan(lessBuffer)
    expect(smaller).toBeGreaterThan(fewerThreads)
    expect(plans.findLast((p) => !p.reducedShards)?.threads).toBe(1)
    for (let i = 1; i < plans.length; i++) {
      if (plans[i].reducedShards === plans[i - 1].reducedShards)
        expect(plans[i].threads).toBeLessThanOrEqual(plans[i - 1].threads)
      expect(plans[i].geometry.shardMembers).toBeLessThanOrEqual(plans[i - 1].geometry.shardMembers)
    }
  })

  it('holds codes on disk when memory has no room for them', () => {
    const tight = plan({ count: 1_000_000, budgetBytes: 400 * MB, threads: 1 })
    expect(tight.gridInMemory).toBe(false)
    expect(tight.searchInMemory).toBe(false)
    expect(tight.temporaryBytes).toBeGreaterThan(plan({ count: 1_000_000, budgetBytes: 16e9 }).temporaryBytes)
  })

  it('takes a smaller queue limit from the caller, and never a larger one', () => {
    const roomy = plan().queueBytes
    expect(plan({ queueBytes: 0 }).queueBytes).toBe(0)
    expect(plan({ queueBytes: 12_345 }).queueBytes).toBe(12_345)
    expect(plan({ queueBytes: 1e15 }).queueBytes).toBe(roomy)
  })

  it('says when shards are below the standard size, and then the geometry differs', () => {
    const least = leastMB({ threads: 1 })
    const tight = plan({ budgetBytes: least * MB, threads: 1 })
    expect(tight.reducedShards).toBe(true)
    expect(tight.geometry.shardCount).toBeGreaterThan(plan().geometry.shardCount)
  })

  it('does not call the shards reduced when all vectors fit one anyway', () => {
    const count = 900
    expect(plan({ count, budgetBytes: leastMB({ count }) * MB }).reducedShards).toBe(false)
  })

  it('never goes above the budget it was given, in any stage', () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 7.5, max: 11, noNaN: true }), (shape, log) => {
        const budgetBytes = Math.floor(10 ** log)
        const made = planOrUndefined({ ...shape, budgetBytes })
        if (made === undefined) return
        for (const { name, bytes } of made.stages) expect(bytes, name).toBeLessThanOrEqual(budgetBytes)
        expect(made.peakBytes).toBeLessThanOrEqual(budgetBytes * 1.0001)
        expect(made.threads).toBeGreaterThanOrEqual(1)
        expect(made.threads).toBeLessThanOrEqual(shape.threads)
        expect(made.queueBytes).toBeGreaterThanOrEqual(0)
        expect(made.batchBytes).toBeGreaterThanOrEqual(4 + 4 * shape.dimensions)
      }),
      { numRuns: 300 },
    )
  })

  it('never goes above the budget when one record is larger than the smallest batch', () => {
    const shape = { count: 100_000, dimensions: 16_384 }
    const budgetBytes = leastMB(shape) * MB
    expect(plan({ ...shape, budgetBytes }).peakBytes).toBeLessThanOrEqual(budgetBytes)
  })

  it('never turns from yes to no when there is more memory', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 20, max: 5000 }), fc.integer({ min: 1, max: 5000 }), (shape, mb, more) => {
        if (planOrUndefined({ ...shape, budgetBytes: mb * MB }) === undefined) return
        expect(planOrUndefined({ ...shape, budgetBytes: (mb + more) * MB })).toBeDefined()
      }),
      { numRuns: 200 },
    )
  })

  it('is a pure function', () => {
    expect(plan({ budgetBytes: 3e8 })).toEqual(plan({ budgetBytes: 3e8 }))
  })
})

describe('planStages refusing', () => {
  it('says bytes needed, bytes there, the stage and what would help', () => {
    const error = refusal({ budgetBytes: 50 * MB })
    expect(error.code).toBe('SHARDLOOM_INSUFFICIENT_MEMORY')
    expect(error.exitCode).toBe(3)
    expect(error.details.availableBytes).toBe(50 * MB)
    expect(error.details.neededBytes).toBeGreaterThan(50 * MB)
    expect(['ingest', 'route', 'shards', 'merge', 'upper levels', 'quantize', 'prove']).toContain(error.details.stage)
    expect(error.message).toContain(`${error.details.neededBytes} bytes`)
    expect(error.message).toContain(`${50 * MB} bytes`)
    expect(error.message).toMatch(/give at least \d+MB \(--memory\)/)
  })

  it('needs what it says: that much is enough', () => {
    for (const changes of [{}, { dimensions: 1536 }, { count: 10 }, { count: 3_000_000, metric: 'ip' as const }]) {
      const { neededBytes } = refusal({ ...changes, budgetBytes: 30 * MB }).details
      expect(planOrUndefined({ ...changes, budgetBytes: neededBytes })).toBeDefined()
    }
  })
})

describe('sampleRows', () => {
  it.each([
    [100, 128, 100],
    [100_000, 128, 4096],
    [100_000, 1536, 2730],
    [100_000, 65_536, 1024],
    [20_000_000, 128, 9766],
  ])('takes of %d vectors of %d dimensions %d', (count, dimensions, rows) => {
    expect(sampleRows(count, dimensions)).toBe(rows)
  })
})

describe('segmentAimBytes', () => {
  it('aims at 16 segments between 4 and 64 MiB', () => {
    expect(segmentAimBytes(10, 128)).toBe(4 * 2 ** 20)
    expect(segmentAimBytes(1_000_000, 128)).toBe(32_000_000)
    expect(segmentAimBytes(1_000_000, 1536)).toBe(64 * 2 ** 20)
  })
})
