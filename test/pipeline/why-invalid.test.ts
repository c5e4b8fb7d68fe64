import { describe, expect, it } from 'vitest'
import { buildIndex } from '../../dist/src/index.js'
import { whyInvalid, whyTooShort } from '../../src/pipeline/ingest/why-invalid.js'
import { makeFolder } from '../fixtures/builds.js'

describe('vectors whose squares float32 cannot hold', () => {
  it('are refused one by one where they are too long', () => {
    expect(whyInvalid(1e38, false)).toMatch('has a squared norm of 1.0e+38')
    expect(whyInvalid(8e37, false)).toBeUndefined()
    expect(whyInvalid(1, true)).toBeUndefined()
  })

  it('are refused together where the longest is too short, with the factor that helps', () => {
    expect(whyTooShort(3e-60, false)).toMatch('multiply all vectors, and queries, by 1e+30')
    expect(whyTooShort(1e-30, false)).toBeUndefined()
    expect(whyTooShort(0, false)).toBeUndefined()
    expect(whyTooShort(1, true)).toBeUndefined()
  })

  it.each(['l2', 'ip'] as const)('end a build under %s before it is published', async (metric) => {
    const vectors = Float32Array.from({ length: 800 }, (_, i) => 1e-30 * Math.cos(i))
    const building = buildIndex([{ vectors, dimensions: 8 }], { path: makeFolder(), metric })
    await expect(building).rejects.toMatchObject({ code: 'SHARDLOOM_INVALID_VECTOR' })
  })
})
