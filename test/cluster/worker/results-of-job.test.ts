import { describe, expect, it } from 'vitest'
import { resultsOfJob } from '../../../src/cluster/worker/results-of-job.js'

const NOTICED = 'a.index/build/spill/results-11111111'
const jobIn = (folder: string) => ({ task: { file: `${folder}/17.task`, offset: 0, bytes: 1, crc: 1 } })

describe('resultsOfJob', () => {
  it.each([
    ['that of the notice', NOTICED, NOTICED],
    [
      'that of another run, whose notice is not seen yet',
      'a.index/build/spill/results-22222222',
      'a.index/build/spill/results-22222222',
    ],
    ['none in another folder', 'b.index/build/spill/results-22222222', NOTICED],
    ['none of another kind', 'a.index/build/spill/other', NOTICED],
    ['none above', 'a.index/build/spill/..', NOTICED],
  ])('is %s', (_, folder, expected) => {
    expect(resultsOfJob(jobIn(folder), NOTICED)).toBe(expected)
  })
})
