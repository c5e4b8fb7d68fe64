/** A build that is told to stop, and one whose workers die. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runHereUpTo } from '../../dist/src/tasks/own-thread.js'
import type { WorkerPool } from '../../dist/src/tasks/worker-pool.js'
import {
  AbortedError,
  WorkerFailedError,
  buildIndex,
  type ProgressEvent,
  type StageName,
  type VectorRecord,
} from '../../dist/src/index.js'
import { build, contentsOf, exists, makeFolder, randomRows, records, withIndex, rowOf } from '../fixtures/builds.js'
import { withRun } from './patched-pool.js'
import { some } from '../whole.js'

const rows = randomRows(1500, 16, 1)

async function failureOf(building: Promise<unknown>): Promise<unknown> {
  return building.then(
    () => {
      throw new Error('the build did not fail')
    },
    (error: unknown) => error,
  )
}

describe('an AbortSignal', () => {
  const stages: StageName[] = [
    'plan',
    'ingest',
    'route',
    'assign nodes',
    'shards',
    'merge',
    'upper levels',
    'quantize',
    'prove',
  ]

  it.each(some(stages, 4))('in stage %s ends the build with AbortedError and leaves nothing behind', async (stage) => {
    const { path } = await build(records(randomRows(50, 4, 2)))
    const before = contentsOf(path)
    const fresh = join(makeFolder(), 'an.index')
    for (const place of [path, fresh]) {
      const controller = new AbortController()
      const reason = new Error(`stop in ${stage}`)
      const onProgress = (event: ProgressEvent): void => {
        if (event.stage === stage) controller.abort(reason)
      }
      const error = await failureOf(
        buildIndex(records(rows), {
          path: place,
          signal: controller.signal,
          onProgress,
          queueBytes: 0,
          quantization: 'sq8',
        }),
      )
      expect(error).toBeInstanceOf(AbortedError)
      expect(error).toMatchObject({ code: 'SHARDLOOM_ABORTED', exitCode: 130, cause: reason })
    }
    expect(contentsOf(path)).toEqual(before)
    expect(exists(fresh)).toBe(false)
  })

  it('that fires after the new generation is live comes too late: the build is done', async () => {
    const controller = new AbortController()
    const onProgress = ({ stage }: ProgressEvent): void => {
      if (stage === 'publish') controller.abort()
    }
    const { report } = await build(records(rows), { signal: controller.signal, onProgress })
    expect(report.count).toBe(1500)
  })

  it('that has fired already lets nothing begin', async () => {
    const path = join(makeFolder(), 'an.index')
    const error = await failureOf(buildIndex(records(rows), { path, signal: AbortSignal.abort() }))
    expect(error).toBeInstanceOf(AbortedError)
    expect(exists(path)).toBe(false)
  })

  it('ends the wait for a source that gives nothing, and closes it', async () => {
    const path = join(makeFolder(), 'an.index')
    const controller = new AbortController()
    let closed = false
    const source: AsyncIterable<VectorRecord> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          setTimeout(() => controller.abort(), 20)
          return new Promise(() => undefined)
        },
        return: () => {
          closed = true
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
    expect(await failureOf(buildIndex(source, { path, signal: controller.signal }))).toBeInstanceOf(AbortedError)
    expect(exists(path)).toBe(false)
    expect(closed).toBe(true)
  })
})

// These builds are so small that they would have no threads.
runHereUpTo(0)

/** Runs `body` and calls `change` when a task of one name has begun. */
async function whileRunning(
  name: string,
  change: (pool: WorkerPool, nth: number) => void,
  body: () => Promise<void>,
): Promise<void> {
  let nth = 0
  await withRun(
    (run) => (pool, task, descriptor, label) => {
      const running = run(pool, task, descriptor, label)
      if (task === name) change(pool, nth++)
      return running
    },
    body,
  )
}

describe('a worker that dies', () => {
  it.each(
    some(['shard', 'leaders', 'route', 'merge', 'upper', 'gather', 'train', 'encode', 'reach', 'exact', 'recall'], 8),
  )('on its %s task is replaced; the index is the same and the report says so', async (name) => {
    const options = { threads: 1, quantization: 'pq' } as const
    const whole = await build(records(rows), options)
    await whileRunning(
      name,
      (pool, nth) => {
        if (nth === 0) void pool.workers[0].terminate()
      },
      async () => {
        const { path, report } = await build(records(rows), options)
        expect(report.events.filter(({ kind }) => kind === 'task-retried')).toHaveLength(1)
        const segments = (place: string): [string, string][] =>
          Object.entries(contentsOf(place)).filter(([file]) => file.endsWith('.seg'))
        expect(segments(path)).toEqual(segments(whole.path))
      },
    )
  })

  it('twice on the same task ends the build with WorkerFailedError, which names the task', async () => {
    const { path } = await build(records(randomRows(50, 4, 2)))
    const before = contentsOf(path)
    await whileRunning(
      'shard',
      (pool) => {
        const [first] = pool.workers
        void first.terminate()
        // The thread that takes its place says when it is ready; then the task begins.
        const waiting = setInterval(() => {
          const second = pool.workers.find((worker) => worker !== first)
          if (second === undefined) return
          clearInterval(waiting)
          second.once('message', () => setTimeout(() => void second.terminate(), 20))
        }, 1)
      },
      async () => {
        const error = await failureOf(buildIndex(records(randomRows(5000, 16, 3)), { path, threads: 1 }))
        expect(error).toBeInstanceOf(WorkerFailedError)
        expect(error).toMatchObject({ code: 'SHARDLOOM_WORKER_FAILED', exitCode: 1 })
        expect((error as WorkerFailedError).task).toMatch(/^shard 0 of base \(5000 members\)$/)
      },
    )
    expect(contentsOf(path)).toEqual(before)
  })
})

it('after interruptions the next build finds its place as any other', async () => {
  const path = join(makeFolder(), 'an.index')
  await failureOf(buildIndex(records(rows), { path, signal: AbortSignal.abort() }))
  const { report } = await build(records(rows), { path })
  expect(report.generation).toBe('gen-000001')
  await withIndex(path, (index) => expect(index.search(rowOf(rows, 3), { k: 1 })[0].id).toBe(3))
})
