import { describe, expect, it } from 'vitest'
import { SALT_SAMPLE, hashOrdinal } from '../../src/rows/hash-ordinal.js'
import { ReservoirSample } from '../../src/pipeline/ingest/reservoir-sample.js'

const DIMENSIONS = 2

/** Samples ordinals 0..count-1, whose rows say which they are; offered `chunk` rows at a time. */
function sampled(count: number, seed: number, chunk: number): number[] {
  const sample = new ReservoirSample({ dimensions: DIMENSIONS, seed })
  for (let from = 0; from < count; from += chunk) {
    const rows = new Float32Array(chunk * DIMENSIONS)
    const end = Math.min(count, from + chunk)
    for (let i = from; i < end; i++) rows.set([i, -i], (i - from) * DIMENSIONS)
    for (let i = from; i < end; i++) sample.offer(i, rows, (i - from) * DIMENSIONS)
    rows.fill(Number.NaN)
  }
  const { rows, count: kept } = sample.take()
  expect(rows).toHaveLength(kept * DIMENSIONS)
  return Array.from({ length: kept }, (_, i) => {
    expect(rows[i * DIMENSIONS + 1]).toBe(-rows[i * DIMENSIONS])
    return rows[i * DIMENSIONS]
  })
}

describe('ReservoirSample', () => {
  it('takes everything of a small stream, each once', () => {
    expect(sampled(1000, 1, 64).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  it('does not depend on how the stream was cut', () => {
    const whole = sampled(20_000, 3, 20_000)
    expect(sampled(20_000, 3, 1)).toEqual(whole)
    expect(sampled(20_000, 3, 777)).toEqual(whole)
    expect(sampled(20_000, 4, 777)).not.toEqual(whole)
  })

  it('is the rows with the smallest hashes, in order of hash', () => {
    const byHash = Array.from({ length: 20_000 }, (_, i) => i).sort(
      (a, b) => hashOrdinal(9, SALT_SAMPLE, a) - hashOrdinal(9, SALT_SAMPLE, b),
    )
    expect(sampled(20_000, 9, 500)).toEqual(byHash.slice(0, 4096))
  })

  it('is uniform: every part of the stream gives its share, and so do the first rows of the sample', () => {
    const count = 65_536
    const sample = sampled(count, 2, 4096)
    expect(sample).toHaveLength(4096)
    for (const part of [sample, sample.slice(0, 1024)]) {
      const tenths = new Array<number>(10).fill(0)
      for (const ordinal of part) tenths[Math.floor((ordinal * 10) / count)]++
      for (const n of tenths) expect(Math.abs(n - part.length / 10)).toBeLessThan(5 * Math.sqrt(part.length * 0.09))
    }
  })
})
