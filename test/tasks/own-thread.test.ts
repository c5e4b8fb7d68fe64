import { afterEach, describe, expect, it } from 'vitest'
import { buildIndex } from '../../dist/src/pipeline/build-index.js'
import { runHereUpTo, runsHere } from '../../dist/src/tasks/own-thread.js'
import { WorkerPool } from '../../dist/src/tasks/worker-pool.js'
import { contentsOf, makeFolder, randomRows, records } from '../fixtures/builds.js'

const COMPONENTS = 2 ** 17

afterEach(() => runHereUpTo(COMPONENTS))

async function segmentsOf(most: number, quantization: 'f32' | 'pq'): Promise<[string, string][]> {
  runHereUpTo(most)
  const path = `${makeFolder()}/an.index`
  await buildIndex(records(randomRows(1500, 16, 1)), { path, threads: 1, quantization })
  return Object.entries(contentsOf(path)).filter(([file]) => file.endsWith('.seg'))
}

describe('tasks on the thread that asks for them', () => {
  it.each(['f32', 'pq'] as const)('build the same bytes as on a thread of their own: %s', async (quantization) => {
    expect(await segmentsOf(COMPONENTS, quantization)).toEqual(await segmentsOf(0, quantization))
  })

  it('are those of small builds alone', () => {
    expect(runsHere(COMPONENTS)).toBe(true)
    expect(runsHere(COMPONENTS + 1)).toBe(false)
  })

  it('need no thread', async () => {
    const pool = new WorkerPool({ threads: 1, inOwnThread: true })
    expect(pool.workers).toHaveLength(0)
    await pool.close()
  })
})
