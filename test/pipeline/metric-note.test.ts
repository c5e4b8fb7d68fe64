import { expect, it } from 'vitest'
import type { Metric } from '../../src/api/vectors.js'
import { metricNote } from '../../src/pipeline/report/metric-note.js'

/** Vectors of three dimensions with these lengths. */
function note(metric: Metric, lengthOf: (row: number) => number, count = 200): string | undefined {
  const rows = new Float32Array(3 * count)
  for (let row = 0; row < count; row++) {
    rows.set([Math.sin(row) * lengthOf(row), Math.cos(row) * lengthOf(row), 0], 3 * row)
  }
  return metricNote(metric, { rows, count })
}

it('vectors of length 1 are said under l2 only', () => {
  expect(note('l2', () => 1)).toContain("all vectors have length 1, as embeddings made for cosine have: metric 'l2'")
  expect(note('ip', () => 1)).toBeUndefined()
  expect(note('cosine', () => 1)).toBeUndefined()
  expect(note('l2', (row) => (row === 7 ? 1.1 : 1))).toBeUndefined()
})

it('lengths that spread are said under ip only', () => {
  const spread = (row: number): number => 1 + (row % 10)
  expect(note('ip', spread)).toContain("lengths of vectors spread from 1.00 to 10.0 (5% to 95%): under metric 'ip'")
  expect(note('l2', spread)).toBeUndefined()
  expect(note('ip', (row) => 1 + (row % 10) / 20)).toBeUndefined()
  expect(note('ip', (row) => (row < 5 ? 1000 : 1))).toBeUndefined()
})

it('a few vectors say nothing', () => {
  expect(note('l2', () => 1, 99)).toBeUndefined()
})
