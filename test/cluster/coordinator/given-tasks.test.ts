import { afterEach, describe, expect, it, vi } from 'vitest'
import { GivenTasks, type GivenTasksParts } from '../../../src/cluster/coordinator/given-tasks.js'
import { HeldOutputs } from '../../../src/cluster/coordinator/held-outputs.js'
import { HostList } from '../../../src/cluster/coordinator/host-list.js'
import type { HostNotice, TaskDone, TaskJob } from '../../../src/cluster/messages.js'
import type { JobState } from '../../../src/cluster/redis/job-queue.js'
import {
  AbortedError,
  CorruptIndexError,
  CorruptSpillError,
  DiskFullError,
  FileFailedError,
  InvalidVectorError,
  PathError,
  StalledError,
  WorkerFailedError,
} from '../../../src/errors.js'
import { messageOf } from '../../../src/runtime/realms.js'
import { outcomeOf } from '../../../src/tasks/task-outcome.js'
import type { LongestResult, LongestTask } from '../../../src/tasks/link/longest-task.js'

const TASK: LongestTask = { vectors: { path: '/shared/v.seg', firstNode: 0, count: 1 }, dimensions: 4, wanted: 1 }
const RESULT: LongestResult = { nodes: new Uint32Array(1), squaredLengths: new Float64Array(1), lengthSum: 7 } as never

/** A coordinator whose queue and files are tables in this process: the test is the hosts. */
class Desk {
  readonly jobs = new Map<string, TaskJob>()
  readonly states = new Map<string, JobState>()
  readonly outcomes = new Map<string, () => Promise<unknown>>()
  readonly forgotten: string[] = []
  readonly searched: string[] = []
  readonly removed: string[] = []
  readonly discarded: string[] = []
  readonly events: [string, string][] = []
  readonly stop = new AbortController()
  readonly hosts = new HostList(35_000)
  readonly outputs = new HeldOutputs(2, 64)
  readonly given: GivenTasks
  now = 0
  reads = 0

  constructor(more: Partial<GivenTasksParts> = {}) {
    this.given = new GivenTasks({
      version: '1.0.0',
      queue: {
        add: async (job) => {
          this.jobs.set(job.id, job)
          this.states.set(job.id, { state: 'waiting' })
        },
        remove: async (id) => {
          this.removed.push(id)
          return this.jobs.delete(id)
        },
        states: async (ids) => new Map(ids.map((id) => [id, this.states.get(id) ?? { state: 'unknown' }])),
      },
      files: {
        encode: async (id) => ({ file: `results/${id}.task`, offset: 0, bytes: 1, crc: 1 }),
        readOutcome: async (_name, _task, done, room) => {
          this.reads++
          const read = this.outcomes.get(done.outcome.file)
          if (read === undefined) throw new CorruptSpillError(done.outcome.file, 0, 'no such outcome')
          const outcome = (await read()) as { ok: boolean; outputBytes?: number }
          const output = outcome.outputBytes === undefined ? undefined : room?.acquire(outcome.outputBytes)
          return { ...outcome, output, figures: { elapsedMs: 1, rssBytes: 5 } } as never
        },
        discard: async ({ id }) => void this.discarded.push(id),
        forget: async (id, hadLost) => {
          this.forgotten.push(id)
          if (hadLost === true) this.searched.push(id)
        },
      },
      hosts: this.hosts,
      outputs: this.outputs,
      signal: this.stop.signal,
      stallSeconds: 0,
      onEvent: (kind, message) => this.events.push([kind, message]),
      onTrouble: (message) => this.events.push(['cluster-error', message]),
      stageName: () => 'shards',
      nowMs: () => this.now,
      retryMs: 0,
      ...more,
    })
  }

  give(label = 'longest 1'): Promise<LongestResult> {
    const given = this.given.give('longest', TASK, label).then(({ value }) => value)
    given.catch(() => undefined)
    return given
  }

  /** A host returns an outcome: of a body that runs here, or one that is damaged. */
  async done(id: string, host: string, body?: () => unknown): Promise<void> {
    const file = `results/${id}.${host}.done`
    if (body !== undefined) this.outcomes.set(file, () => outcomeOf(body))
    const done: TaskDone = { id, host, outcome: { file, offset: 0, bytes: 1, crc: 1 } }
    this.given.onDone(done)
    await settle()
  }

  ids(): string[] {
    return [...this.jobs.keys()]
  }

  lostOf(host: string): number | undefined {
    return this.hosts.reports.find((each) => each.host === host)?.lostTasks
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 2))
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

const working = (host: string, slots: number, at: number): HostNotice => ({
  ...{ host, version: '1.0.0', state: 'working', reason: '', threads: slots, slots, running: 0, done: 0 },
  ...{ busySeconds: 0, rssBytes: 1, memoryBytes: 1, at },
})

const desks: Desk[] = []
const makeDesk = (more?: Partial<GivenTasksParts>): Desk => {
  const desk = new Desk(more)
  desks.push(desk)
  return desk
}
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.given.close()
})

describe('GivenTasks', () => {
  it('gives a task out and resolves with the result that a host returns', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    expect([...desk.jobs.values()]).toMatchObject([
      { id: '0.0', name: 'longest', label: 'longest 1', version: '1.0.0', task: { file: 'results/0.task' } },
    ])
    await desk.done('0.0', 'a', () => RESULT)
    expect(await result).toEqual(RESULT)
    await settle()
    expect([desk.ids(), desk.forgotten, desk.given.size]).toEqual([[], ['0'], 0])
    expect(desk.hosts.reports).toMatchObject([{ host: 'a', tasks: 1, lostTasks: 0 }])
  })

  it('looks for files of other attempts only where there were some, and takes a job out of the queue once', async () => {
    const desk = makeDesk()
    const [once, twice] = [desk.give('once'), desk.give('twice')]
    await settle()
    await desk.done('0.0', 'a', () => RESULT)
    await desk.done('1.0', 'a')
    await desk.done('1.1', 'b', () => RESULT)
    await Promise.all([once, twice])
    await settle()
    expect(desk.searched).toEqual(['1'])
    expect(desk.removed.toSorted()).toEqual(['0.0', '1.0', '1.1'])
  })

  it('takes the first whole result; a later one is deleted and counts as lost', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    await desk.done('0.0', 'a', () => RESULT)
    await result
    await desk.done('0.1', 'b', () => RESULT)
    expect([desk.discarded, desk.lostOf('b'), desk.reads]).toEqual([['0.1'], 1, 1])
  })

  it('hears of one result once, though an event and a check tell of it', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    await desk.done('0.0', 'a', () => RESULT)
    await desk.done('0.0', 'a', () => RESULT)
    await result
    await desk.done('0.0', 'a', () => RESULT)
    expect([desk.discarded, desk.lostOf('a')]).toEqual([[], 0])
  })

  it('gives a task out again after a file error, a damaged outcome or a job that failed, and says where', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    await desk.done('0.0', 'a', () => {
      throw new FileFailedError('/shared/v.seg', new Error('stale file handle'))
    })
    expect(desk.ids()).toEqual(['0.1'])
    await desk.done('0.1', 'b')
    expect(desk.ids()).toEqual(['0.2'])
    expect(desk.events.map(([kind, message]) => [kind, /host (\S+) /.exec(message)?.[1]])).toEqual([
      ['task-retried', 'a'],
      ['task-retried', 'b'],
    ])
    await desk.done('0.2', 'c', () => RESULT)
    expect(await result).toEqual(RESULT)
    expect([desk.lostOf('a'), desk.lostOf('b'), desk.lostOf('c')]).toEqual([1, 1, 0])
  })

  it('gives a task out again that could not use a path on its host', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    await desk.done('0.0', 'a', () => {
      throw new PathError('/shared/codes.bin', 'is not there (ENOENT)')
    })
    await desk.done('0.1', 'b', () => RESULT)
    expect(await result).toEqual(RESULT)
  })

  it('waits before a task that failed goes out again, longer the second time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const desk = makeDesk({ retryMs: 1000 })
      void desk.give()
      await vi.advanceTimersByTimeAsync(0)
      for (const [i, waitMs] of [1000, 2000].entries()) {
        desk.given.onFailed(`0.${i}`, 'stale', 'a')
        await vi.advanceTimersByTimeAsync(waitMs - 1)
        expect(desk.ids()).toEqual([])
        await vi.advanceTimersByTimeAsync(1)
        expect(desk.ids()).toEqual([`0.${i + 1}`])
      }
    } finally {
      vi.useRealTimers()
    }
  })

  it('fails with the typed error of the third failed attempt, which names its host', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    for (const [i, host] of ['a', 'b', 'c'].entries()) {
      await desk.done(`0.${i}`, host, () => {
        throw new FileFailedError('/shared/v.seg', new Error('I/O error'))
      })
    }
    const error = await result.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FileFailedError)
    expect(messageOf(error)).toMatch(/longest 1.*host c/s)
  })

  it('fails with WorkerFailedError when hosts cannot say what went wrong', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    for (const id of ['0.0', '0.1', '0.2']) {
      desk.given.onFailed(id, 'no space left', 'a')
      await settle()
    }
    const error = await result.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(WorkerFailedError)
    expect(messageOf(error)).toMatch(/three times.*host a.*no space left/s)
  })

  it('is given up when each of two hosts fails one of two tasks again and again', async () => {
    const desk = makeDesk()
    desk.hosts.update([working('a', 1, 1), working('b', 1, 1)], 0)
    const results = [desk.give(), desk.give()]
    const settled = Promise.allSettled(results)
    await settle()
    for (const attempt of [0, 1, 2]) {
      for (const [task, host] of [[0, 'a'], [1, 'b']] as const) {
        desk.given.onFailed(`${task}.${attempt}`, 'read-only file system', host)
        await settle()
      }
    } // prettier-ignore
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(results[0]).rejects.toThrow(/three times.*host a/s)
  })

  it('fails with DiskFullError when the disk of its hosts is too full for an outcome', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    for (const id of ['0.0', '0.1', '0.2']) {
      desk.given.onFailed(id, new DiskFullError({ path: '/shared/a.done', neededBytes: 9, freeBytes: 0 }).message, 'a')
      await settle()
    }
    const error = await result.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DiskFullError)
    expect(error).toMatchObject({ details: { path: '/shared/a.done', neededBytes: 9, freeBytes: 0 } })
  })

  it('goes on while one host fails again and again, and another one works that has not tried', async () => {
    const desk = makeDesk()
    desk.hosts.update([working('sick', 1, 1), working('well', 1, 1)], 0)
    const result = desk.give()
    await settle()
    for (const id of ['0.0', '0.1', '0.2', '0.3']) {
      desk.given.onFailed(id, 'read-only file system', 'sick')
      await settle()
    }
    await desk.done('0.4', 'well', () => RESULT)
    expect((await result).lengthSum).toBe(7)
    const other = desk.give()
    await settle()
    for (const [id, host] of [['1.0', 'sick'], ['1.1', 'sick'], ['1.2', 'well']] as const) {
      desk.given.onFailed(id, 'read-only file system', host)
      await settle()
    } // prettier-ignore
    await expect(other).rejects.toThrow(/three times.*host well/)
  })

  it.each([
    ['input', () => new InvalidVectorError({ ordinal: 3, reason: 'has NaN' })],
    ['data', () => new CorruptIndexError('/shared/v.seg', 'crc')],
  ])('ends all tasks at once when the %s is at fault', async (_, errorOf) => {
    const desk = makeDesk()
    const [first, second] = [desk.give('one'), desk.give('two')]
    await settle()
    await desk.done('0.0', 'a', () => {
      throw errorOf()
    })
    const failure = await first.catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(errorOf().constructor)
    await expect(second).rejects.toBe(failure)
    await expect(desk.give('three')).rejects.toBe(failure)
    expect(desk.events).toEqual([])
  })

  it('does not count attempts of dead hosts as failures', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    for (let i = 0; i < 5; i++) {
      const [at, host] = [1e6 * i, `host-${i}`]
      for (let ms = 0; ms <= 40_000; ms += 5000) desk.hosts.update([working(host, 1, i)], at + ms)
      expect(desk.hosts.isGone(host)).toBe(true)
      desk.states.set(`0.${i}`, { state: 'active', host })
      await desk.given.check()
      await settle()
      expect([desk.ids(), desk.lostOf(host)]).toEqual([[`0.${i + 1}`], 1])
    }
    await desk.done('0.5', 'b', () => RESULT)
    expect(await result).toEqual(RESULT)
  })

  it('counts a task as lost for the host whose lock ran out', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    desk.given.onActive('0.0', 'a')
    desk.given.onWaiting('0.0')
    desk.given.onActive('0.0', 'b')
    await desk.done('0.0', 'b', () => RESULT)
    await result
    expect([desk.lostOf('a'), desk.lostOf('b')]).toEqual([1, 0])
  })

  it('puts jobs in again that Redis does not know any more', async () => {
    const desk = makeDesk()
    const results = [desk.give(), desk.give()]
    await settle()
    desk.jobs.clear()
    desk.states.clear()
    await desk.given.check()
    await settle()
    expect(desk.ids()).toEqual(['0.0', '1.0'])
    expect(desk.events).toEqual([['redis-forgot', expect.stringContaining('2 tasks')]])
    for (const id of ['0.0', '1.0']) await desk.done(id, 'a', () => RESULT)
    expect(await Promise.all(results)).toEqual([RESULT, RESULT])
  })

  it('accepts a result whose event was missed', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    desk.outcomes.set('x', () => outcomeOf(() => RESULT))
    const done = { id: '0.0', host: 'a', outcome: { file: 'x', offset: 0, bytes: 1, crc: 1 } }
    desk.states.set('0.0', { state: 'done', done, host: 'a' })
    await desk.given.check()
    expect(await result).toEqual(RESULT)
  })

  it('repeats a slow task on an idle host, takes the first result, and tells how many', async () => {
    const desk = makeDesk()
    desk.hosts.update([working('a', 4, 1)], 0)
    const results = [desk.give('quick'), desk.give('slow')]
    await settle()
    desk.given.onActive('0.0', 'a')
    desk.given.onActive('1.0', 'a')
    desk.now = 1000
    await desk.done('0.0', 'a', () => RESULT)
    desk.now = 2001
    desk.given.watch()
    desk.given.watch()
    await settle()
    expect(desk.ids()).toEqual(['1.0', '1.1'])
    await desk.done('1.1', 'b', () => RESULT)
    expect(await Promise.all(results)).toEqual([RESULT, RESULT])
    await desk.done('1.0', 'a', () => RESULT)
    desk.given.tellRepeated()
    desk.given.tellRepeated()
    expect(desk.events).toEqual([['task-repeated', expect.stringContaining('1 slow tasks')]])
    expect([desk.lostOf('a'), desk.lostOf('b')]).toEqual([1, 0])
  })

  it('gives a task that hangs to others, and fails after the third', async () => {
    const desk = makeDesk({ stallSeconds: 10 })
    const result = desk.give()
    await settle()
    for (let i = 0; i < 3; i++) {
      desk.given.onActive(`0.${i}`, 'a')
      desk.now += 10_001
      desk.given.watch()
      await settle()
    }
    const error = await result.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StalledError)
    expect(messageOf(error)).toContain('host a')
  })

  it('fails with StalledError when no host takes a task', async () => {
    const desk = makeDesk({ stallSeconds: 10 })
    const result = desk.give()
    await settle()
    desk.now = 10_000
    desk.given.watch()
    expect(desk.given.size).toBe(1)
    desk.now = 10_001
    desk.given.watch()
    await expect(result).rejects.toThrow(/no host takes a task/)
  })

  it('ends all tasks when the build is aborted', async () => {
    const desk = makeDesk()
    const result = desk.give()
    await settle()
    desk.stop.abort()
    await expect(result).rejects.toBeInstanceOf(AbortedError)
    await expect(desk.give()).rejects.toBeInstanceOf(AbortedError)
    await settle()
    expect(desk.ids()).toEqual([])
  })

  it('gives out one task at a time while it is paused', async () => {
    const desk = makeDesk()
    desk.given.pause(true)
    const results = [desk.give(), desk.give(), desk.give()]
    await settle()
    expect(desk.ids()).toEqual(['0.0'])
    await desk.done('0.0', 'a', () => RESULT)
    expect(desk.ids()).toEqual(['1.0'])
    desk.given.pause(false)
    await settle()
    expect(desk.ids()).toEqual(['1.0', '2.0'])
    for (const id of ['1.0', '2.0']) await desk.done(id, 'a', () => RESULT)
    await Promise.all(results)
  })

  it('reads no more outputs at a time than there is room for', async () => {
    const desk = makeDesk()
    const given = Array.from({ length: 3 }, (_, i) => desk.given.give('cut', {} as never, `cut ${i}`, 100))
    await settle()
    for (let i = 0; i < 3; i++) {
      desk.outcomes.set(`o${i}`, async () => ({ ok: true, value: i, busyMs: 1, tileMs: 0, outputBytes: 40 }))
      desk.given.onDone({ id: `${i}.0`, host: 'a', outcome: { file: `o${i}`, offset: 0, bytes: 1, crc: 1 } })
    }
    await settle()
    expect([desk.reads, desk.outputs.held]).toEqual([2, 2])
    const first = await given[0]
    expect(first.output).toHaveLength(40)
    first.release()
    first.release()
    await settle()
    expect([desk.reads, desk.outputs.held]).toEqual([3, 2])
    await Promise.all(given)
  })

  it('tells of a job that could not be queued, and puts it in again', async () => {
    let failures = 1
    const desk: Desk = makeDesk({
      queue: {
        add: async (job) => {
          if (failures-- > 0) throw new Error('OOM command not allowed')
          desk.jobs.set(job.id, job)
        },
        remove: async () => true,
        states: async (ids) => new Map(ids.map((id) => [id, { state: desk.jobs.has(id) ? 'waiting' : 'unknown' }])),
      },
    })
    const result = desk.give()
    await settle()
    expect(desk.events).toEqual([['cluster-error', 'OOM command not allowed']])
    await desk.given.check()
    await settle()
    await desk.done('0.0', 'a', () => RESULT)
    expect(await result).toEqual(RESULT)
  })
})
