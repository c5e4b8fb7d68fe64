/** Tasks of every kind whose thread throws, exits or runs out of memory: repeated once, then a typed error. */
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runHereUpTo } from '../../dist/src/tasks/own-thread.js'
import { WorkerPool } from '../../dist/src/tasks/worker-pool.js'
import { pipnnEngine } from '../../dist/src/engines/pipnn/pipnn-engine.js'
import { AbortedError, WorkerFailedError, buildIndex, type VectorRecord } from '../../dist/src/index.js'
import {
  build,
  concatRows,
  contentsOf,
  makeFolder,
  makeRows,
  randomRows,
  records,
  segmentsOf,
  type Built,
} from '../fixtures/builds.js'
import { withRun } from './patched-pool.js'
import { some } from '../whole.js'

// Several shards of a few rows; the plan refuses smaller ones. Of 4000 rows 2500 are one vector: their shards are split.
;(pipnnEngine as { shardMembers: number }).shardMembers = 1100
const rows = concatRows(
  randomRows(1500, 16, 1),
  makeRows(2500, 16, (_, d) => d / 16),
)

type How = 'throws' | 'exits' | 'runs out of memory'

runHereUpTo(0)
WorkerPool.entryUrl = new URL('failing-task.js', import.meta.url)

/** Runs `body` while the nth task of a name fails `times` times; answers how many tasks of each name ran. */
async function whileFailing(
  failing: { name: string; nth: number; how: How; times: number },
  body: () => Promise<void>,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  await withRun(
    (run) => (pool, name, task, label) => {
      const nth = (counts.get(name) ?? 0) + 1
      counts.set(name, nth)
      if (name !== failing.name || nth !== failing.nth) return run(pool, name, task, label)
      const failures = new Int32Array(new SharedArrayBuffer(4)).fill(failing.times)
      return run(pool, name, { ...task, failing: { how: failing.how, failures } }, label)
    },
    body,
  )
  return counts
}

const options = { threads: 1, queueBytes: 0, quantization: 'pq' } as const

/** What a build left that was stopped when it proved its graph. */
async function interrupted(): Promise<string> {
  const path = join(makeFolder(), 'an.index')
  const controller = new AbortController()
  const stopped = await buildIndex(source, {
    ...options,
    path,
    signal: controller.signal,
    onProgress: ({ stage }) => {
      if (stage === 'prove') controller.abort()
    },
  }).catch((error: unknown) => error)
  expect(stopped).toBeInstanceOf(AbortedError)
  return path
}

function* source(startAt: number): Generator<VectorRecord> {
  let row = 0
  for (const record of records(rows)) if (row++ >= startAt) yield record
}

describe('a task that fails once', () => {
  let whole: Record<string, string>
  let counts: Map<string, number>
  beforeAll(async () => {
    counts = await whileFailing({ name: 'none', nth: 0, how: 'throws', times: 0 }, async () => {
      whole = segmentsOf(await build(records(rows), options))
    })
  })

  const checked = ({ path, report }: Built): void => {
    expect(report.events.filter(({ kind }) => kind === 'task-retried')).toHaveLength(1)
    expect(segmentsOf({ path, report })).toEqual(whole)
  }

  const names = [
    'leaders', 'trial', 'route', 'sample', 'cut', 'shard', 'merge', 'upper', 'gather', 'train', 'encode', 'reach', 'exact',
    'recall',
  ] // prettier-ignore
  const hows: How[] = ['throws', 'exits', 'runs out of memory']
  // Filling a heap takes a second.
  const isTried = (how: How, name: string): boolean =>
    how !== 'runs out of memory' || ['leaders', 'shard', 'merge', 'reach'].includes(name)

  const cases = names
    .flatMap((name) => hows.map((how) => [how, name] as const))
    .filter(([how, name]) => isTried(how, name))
  it.each(some(cases, 8))(
    'because its thread %s, is repeated: %s, the first and the last of them',
    async (how, name) => {
      const last = counts.get(name) ?? 0
      expect(last).toBeGreaterThan(0)
      const nths = how === 'runs out of memory' ? [last] : new Set([1, last])
      for (const nth of nths) {
        await whileFailing({ name, nth, how, times: 1 }, async () => checked(await build(records(rows), options)))
      }
    },
  )

  it.each(some(hows, 3))('because its thread %s, is repeated: restore, of a build that goes on', async (how) => {
    const path = await interrupted()
    const ran = await whileFailing({ name: 'restore', nth: 2, how, times: 1 }, async () =>
      checked(await build(source, { ...options, path })),
    )
    expect(ran.get('restore')).toBeGreaterThan(1)
  })
})

it.each(some<How>(['exits', 'throws', 'runs out of memory'], 3))(
  'a task whose thread %s twice ends the build with WorkerFailedError; the live generation is untouched',
  async (how) => {
    const { path } = await build(records(randomRows(50, 4, 2)))
    const before = contentsOf(path)
    await whileFailing({ name: 'merge', nth: 1, how, times: 2 }, async () => {
      const failure = await buildIndex(records(rows), { ...options, path }).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(WorkerFailedError)
      expect(failure).toMatchObject({ code: 'SHARDLOOM_WORKER_FAILED', exitCode: 1 })
      expect((failure as WorkerFailedError).task).toBe('merge segment 0 of base')
    })
    expect(contentsOf(path)).toEqual(before)
  },
)
