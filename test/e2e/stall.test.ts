/** Sources that give no answer any more. (Tasks that give none: test/tasks/worker-pool.test.ts.) */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StalledError, buildIndex, type VectorRecord } from '../../dist/src/index.js'
import { build, makeFolder, randomRows, records, rowOf, segmentsOf } from '../fixtures/builds.js'

const rows = randomRows(1500, 16, 1)

/** The first rows, and then nothing, for ever. */
async function* stalling(count: number, startAt = 0): AsyncGenerator<VectorRecord> {
  for (let row = startAt; row < count; row++) yield { vector: rowOf(rows, row) }
  await new Promise(() => undefined)
}

describe('a source that stops giving vectors', () => {
  it('ends the build after stallSeconds with its stage and the count, and leaves nothing', async () => {
    const path = join(makeFolder(), 'an.index')
    const error: unknown = await buildIndex(stalling(700), { path, stallSeconds: 0.4 }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(StalledError)
    expect(error).toMatchObject({
      code: 'SHARDLOOM_STALLED',
      details: { stage: 'ingest', doing: 'the source gave 700 vectors and then nothing', stallSeconds: 0.4 },
    })
    expect(existsSync(path)).toBe(false)
  })

  it('and can start anywhere is asked for the rest the next time', async () => {
    const expected = segmentsOf(await build(records(rows)))
    const path = join(makeFolder(), 'an.index')
    await expect(buildIndex((startAt) => stalling(700, startAt), { path, stallSeconds: 0.4 })).rejects.toThrow(
      StalledError,
    )
    const asked: number[] = []
    const whole = function* (startAt: number): Generator<VectorRecord> {
      asked.push(startAt)
      for (let row = startAt; row < rows.count; row++) yield { vector: rowOf(rows, row) }
    }
    const report = await buildIndex(whole, { path })
    expect(asked).toEqual([700])
    expect(segmentsOf({ path, report })).toEqual(expected)
    expect(readdirSync(path).sort()).toEqual(['CURRENT', report.generation])
  })

  it('for less than stallSeconds at a time is waited for', async () => {
    async function* slow(): AsyncGenerator<VectorRecord> {
      for (let row = 0; row < 6; row++) {
        await new Promise((resolve) => setTimeout(resolve, 450))
        yield { vector: rowOf(rows, row) }
      }
    }
    const path = join(makeFolder(), 'an.index')
    expect(await buildIndex(slow(), { path, stallSeconds: 2 })).toMatchObject({ count: 6 })
  })
})
