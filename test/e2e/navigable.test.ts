/** Data on which a graph of nearest neighbours falls into islands: vectors find themselves, and new ones their nearest. */
import { describe, expect, it } from 'vitest'
import { exactAnswers, ownAnswers, recallOf, someRows, type ExactAnswers } from '../../bench/quality/exact.mjs'
import { SETS } from '../../bench/quality/sets.mjs'
import { build, withIndex } from '../fixtures/builds.js'
import { some } from '../whole.js'

const EF = 64
const SELVES = 1000

const CASES = (
  [
    // The smallest case: every neighbour of a vector is in its own cluster, so no link leads from one to another.
    { name: '300 clusters of 50, 32 d, cosine', least: 0.999 },
    { name: 'closed curve', least: 1 },
    { name: '2000 clusters of 10, 32 d, l2', least: 0.995 },
    { name: '400 clusters of 50, 64 d, l2, sorted', least: 0.99 },
    { name: 'curve', least: 1 },
    { name: 'near copies 1e-2', least: 0.995 },
    { name: 'a mass in the middle', least: 0.94 },
    { name: 'log-normal ip', least: 0.99 },
    { name: 'student ip', least: 0.985 },
    { name: 'a few long ip', least: 0.95 },
  ] as const
).flatMap(({ name, least }) => [
  { name, least, quality: 'balanced' as const },
  { name, least, quality: 'high' as const },
])

describe.each(some(CASES, 7))('$name, $quality', ({ name, quality, least }) => {
  it(`has recall ${least} at ef ${EF}, for its own vectors and for new ones`, async () => {
    const set = SETS[name]
    const { metric, dims } = set
    const { base, queries } = set.rows(1)
    const { path } = await build([{ vectors: base, dimensions: dims }], { metric, quality, memory: '1GB' })
    await withIndex(path, (index) => {
      const recall = (answers: ExactAnswers, asked: Float32Array): number =>
        recallOf(answers, (query) => {
          const vector = asked.subarray(query * dims, (query + 1) * dims)
          return index.search(vector, { k: answers.k, ef: EF }).map(({ id }) => Number(id))
        })
      const selves = someRows(base, dims, SELVES)
      expect(recall(ownAnswers({ base, queries: selves, dims, metric }), selves)).toBeGreaterThanOrEqual(least)
      expect(recall(exactAnswers({ base, queries, dims, metric, k: 10 }), queries)).toBeGreaterThanOrEqual(least)
    })
  })
})
