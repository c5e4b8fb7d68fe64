import { describe, expect, it } from 'vitest'
import { batches, build, randomRows } from '../fixtures/builds.js'

describe('a build asked for a thousand threads', () => {
  it('runs as many as its vectors have work for, and says so', async () => {
    const { report } = await build(batches(randomRows(200, 16, 1)), { threads: 1000 })
    expect(report.threads).toBe(1)
    expect(report.events.filter(({ kind }) => kind === 'fewer-threads').map(({ message }) => message)).toEqual([
      '1 worker thread of the 1000 that were asked for: 200 vectors of 16 dimensions have no work for more',
    ])
  })
})
