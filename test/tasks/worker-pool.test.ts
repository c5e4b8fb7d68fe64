import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { WorkerPool, type WorkerPoolOptions } from '../../src/tasks/worker-pool.js'
import { AbortedError, ShardloomError, WorkerFailedError } from '../../src/errors.js'
import { makeFolder } from '../fixtures/tasks.js'

/** `attempts[0]` counts the runs of a task, over all threads; [1] and [2] those at work now, and at most at once. */
interface TestTask {
  readonly attempts: Int32Array
  readonly failures?: number
  readonly how?: 'throw' | 'exit' | 'hang' | 'spin' | 'work' | 'typed'
  readonly value?: number
}

const WORKER = `
const { isMainThread, threadId } = require('node:worker_threads')
module.exports = async ({ task: { attempts, failures = 0, how = 'throw', value } }) => {
  const attempt = Atomics.add(attempts, 0, 1)
  if (attempt < failures) {
    if (how === 'exit') process.exit(3)
    if (how === 'hang') await new Promise((resolve) => setTimeout(resolve, 600_000))
    if (how === 'spin') for (;;);
    if (how === 'work') {
      const running = Atomics.add(attempts, 1, 1) + 1
      if (running > Atomics.load(attempts, 2)) Atomics.store(attempts, 2, running)
      await new Promise((resolve) => setTimeout(resolve, 30))
      Atomics.sub(attempts, 1, 1)
      return { ok: true, value: { value, threadId, isMainThread }, busyMs: 0, tileMs: 0 }
    }
    if (how === 'typed') {
      return { ok: false, error: { name: 'EngineError', message: 'typed', stack: undefined, fields: { code: 'SHARDLOOM_ENGINE' }, cause: undefined } }
    }
    throw new Error('boom ' + attempt)
  }
  return { ok: true, value: { value, threadId, isMainThread } }
}
`

const pools: WorkerPool[] = []
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close()
})

function makePool(options: Partial<WorkerPoolOptions> = {}): { pool: WorkerPool; retries: [string, unknown][] } {
  const folder = makeFolder()
  writeFileSync(join(folder, 'worker.js'), WORKER)
  const retries: [string, unknown][] = []
  const pool = new WorkerPool({
    threads: 2,
    entryUrl: pathToFileURL(join(folder, 'worker.js')),
    onRetry: (task, cause) => retries.push([task, cause]),
    ...options,
  })
  pools.push(pool)
  return { pool, retries }
}

const attempts = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))
const run = (pool: WorkerPool, task: TestTask): Promise<{ value: number; threadId: number; isMainThread: boolean }> =>
  // The thread here has one task of its own, whatever it is asked for.
  pool.run('route', task as never, 'route 7 vectors') as Promise<never>

const stalled = (task: string): ShardloomError => new ShardloomError('TEST_STALLED', task)

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

describe('a pool that starts threads as needed', () => {
  it('has one at first, and as many as tasks run at once', async () => {
    const { pool } = makePool({ threads: 4, startsAsNeeded: true })
    expect(pool.workers).toHaveLength(1)
    const count = attempts()
    await run(pool, { attempts: count, value: 1 })
    expect(pool.workers).toHaveLength(1)
    const working = new Int32Array(new SharedArrayBuffer(12))
    await Promise.all(Array.from({ length: 3 }, () => run(pool, { attempts: working, failures: 9, how: 'work' })))
    expect(pool.workers).toHaveLength(3)
    expect(working[2]).toBeLessThanOrEqual(3)
  })
})

describe('a task with a signal of its own', () => {
  it('is given up when it fires, and the others go on', async () => {
    const { pool, retries } = makePool({ threads: 1 })
    const stop = new AbortController()
    const spinning = { attempts: attempts(), failures: 1, how: 'spin' }
    const given = pool.runTimed('route', spinning as never, 'spins', stop.signal)
    await until(() => Atomics.load(spinning.attempts, 0) === 1)
    stop.abort()
    await expect(given).rejects.toThrow(AbortedError)
    expect(await run(pool, { attempts: attempts(), value: 2 })).toMatchObject({ value: 2 })
    expect(retries).toEqual([])
  })

  it('is not begun when it has fired', async () => {
    const { pool } = makePool()
    const count = attempts()
    const given = pool.runTimed('route', { attempts: count } as never, 'late', AbortSignal.abort())
    await expect(given).rejects.toThrow(AbortedError)
    expect(count[0]).toBe(0)
  })
})

describe('a task', () => {
  it('runs in a worker thread and gives its value', async () => {
    const { pool } = makePool()
    expect(await run(pool, { attempts: attempts(), value: 42 })).toMatchObject({ value: 42, isMainThread: false })
  })

  it('that throws once runs once more, and the pool’s owner is told', async () => {
    const { pool, retries } = makePool()
    const count = attempts()
    expect(await run(pool, { attempts: count, failures: 1, value: 1 })).toMatchObject({ value: 1 })
    expect(count[0]).toBe(2)
    expect(retries).toMatchObject([['route 7 vectors', { message: 'boom 0' }]])
  })

  it('that throws twice fails as WorkerFailedError with its name and the second cause', async () => {
    const { pool } = makePool()
    const count = attempts()
    const error: unknown = await run(pool, { attempts: count, failures: 9 }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(WorkerFailedError)
    expect(error).toMatchObject({
      code: 'SHARDLOOM_WORKER_FAILED',
      task: 'route 7 vectors',
      cause: { message: 'boom 1' },
    })
    expect(count[0]).toBe(2)
  })

  it('that fails with an error of ours is not run again', async () => {
    const { pool, retries } = makePool()
    const count = attempts()
    await expect(run(pool, { attempts: count, failures: 9, how: 'typed' })).rejects.toMatchObject({
      code: 'SHARDLOOM_ENGINE',
    })
    expect(count[0]).toBe(1)
    expect(retries).toEqual([])
  })

  it('whose thread exits is run again, on a fresh thread', async () => {
    const { pool, retries } = makePool({ threads: 1 })
    const before = await run(pool, { attempts: attempts(), value: 0 })
    const after = await run(pool, { attempts: attempts(), failures: 1, how: 'exit', value: 1 })
    expect(after.value).toBe(1)
    expect(after.threadId).not.toBe(before.threadId)
    expect(retries).toHaveLength(1)
  })

  it('whose thread exits each time fails, and the pool goes on', async () => {
    const { pool } = makePool({ threads: 1 })
    await expect(run(pool, { attempts: attempts(), failures: 9, how: 'exit' })).rejects.toBeInstanceOf(
      WorkerFailedError,
    )
    expect(await run(pool, { attempts: attempts(), value: 5 })).toMatchObject({ value: 5 })
  })

  it('whose thread is terminated half-way is run again, on a fresh thread', async () => {
    const { pool, retries } = makePool({ threads: 1 })
    const count = attempts()
    const running = run(pool, { attempts: count, failures: 1, how: 'hang', value: 9 })
    await until(() => count[0] === 1)
    const killed = pool.workers[0].threadId
    await pool.workers[0].terminate()
    const { value, threadId } = await running
    expect(value).toBe(9)
    expect(threadId).not.toBe(killed)
    expect(retries).toHaveLength(1)
  })

  it('whose fresh thread dies while it starts is not waited for, though Piscina replaces no such thread', async () => {
    const { pool } = makePool({ threads: 1 })
    const count = attempts()
    const running = run(pool, { attempts: count, failures: 1, how: 'hang', value: 9 })
    await until(() => count[0] === 1)
    const [first] = pool.workers
    void first.terminate()
    await until(() => pool.workers.some((worker) => worker !== first))
    void pool.workers[0].terminate()
    const settled = running.then(
      () => 'settled',
      () => 'settled',
    )
    const waited = new Promise((resolve) => setTimeout(() => resolve('still waiting'), 3000))
    expect(await Promise.race([settled, waited])).toBe('settled')
  })

  it('that gives no answer is given up and run again, on a fresh thread', async () => {
    // Long enough for a fresh thread to start in on a busy machine.
    const { pool, retries } = makePool({ threads: 1, stall: { seconds: 2, error: stalled } })
    const before = await run(pool, { attempts: attempts(), value: 0 })
    const after = await run(pool, { attempts: attempts(), failures: 1, how: 'hang', value: 9 })
    expect(after.value).toBe(9)
    expect(after.threadId).not.toBe(before.threadId)
    expect(retries).toMatchObject([['route 7 vectors', { message: 'no answer for 2 s' }]])
  })

  it('that twice gives no answer fails with the error for that', async () => {
    const { pool } = makePool({ threads: 1, stall: { seconds: 0.3, error: stalled } })
    await expect(run(pool, { attempts: attempts(), failures: 9, how: 'hang' })).rejects.toMatchObject({
      code: 'TEST_STALLED',
      message: 'route 7 vectors',
    })
    expect(await run(pool, { attempts: attempts(), value: 5 })).toMatchObject({ value: 5 })
  })

  it('whose own thread blocks, so that it cannot even be asked to stop, is given up too', async () => {
    // Long enough for a fresh thread to start in on a busy machine.
    const { pool } = makePool({ threads: 1, stall: { seconds: 3, error: stalled } })
    expect(await run(pool, { attempts: attempts(), failures: 1, how: 'spin', value: 9 })).toMatchObject({ value: 9 })
  })

  it('is ended by the caller’s signal, with AbortedError and without a second run', async () => {
    const controller = new AbortController()
    const { pool, retries } = makePool({ signal: controller.signal })
    const count = attempts()
    const running = run(pool, { attempts: count, failures: 9, how: 'hang' })
    await until(() => count[0] === 1)
    controller.abort(new Error('enough'))
    await expect(running).rejects.toBeInstanceOf(AbortedError)
    await expect(running).rejects.toMatchObject({ cause: { message: 'enough' } })
    expect(count[0]).toBe(1)
    expect(retries).toEqual([])
  })
})

describe('pause', () => {
  it.each([
    [false, 2],
    [true, 1],
  ])('when %s, at most %d of two threads work at once, and all tasks end', async (paused, most) => {
    const { pool } = makePool({ threads: 2 })
    pool.pause(paused)
    const counts = new Int32Array(new SharedArrayBuffer(12))
    const task: TestTask = { attempts: counts, failures: 9, how: 'work', value: 3 }
    const results = await Promise.all(Array.from({ length: 6 }, () => run(pool, task)))
    expect(results.map(({ value }) => value)).toEqual([3, 3, 3, 3, 3, 3])
    expect(counts[2]).toBe(most)
  })

  it('that ends lets waiting tasks start', async () => {
    const { pool } = makePool({ threads: 2 })
    const [first, second] = [attempts(), attempts()]
    const hanging = run(pool, { attempts: first, failures: 1, how: 'hang' }).catch(() => 'closed')
    await until(() => first[0] === 1)
    pool.pause(true)
    const waiting = run(pool, { attempts: second, value: 2 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(second[0]).toBe(0)
    pool.pause(false)
    expect(await waiting).toMatchObject({ value: 2 })
    await pool.close()
    await hanging
  })
})

describe('runAll', () => {
  it('runs every item, never more at once than one for each thread and one that waits, and hands over each result', async () => {
    const { pool } = makePool({ threads: 2 })
    let running = 0
    let most = 0
    const results: number[] = []
    await pool.runAll(
      Array.from({ length: 20 }, (_, i) => i),
      async (item) => {
        most = Math.max(most, ++running)
        return run(pool, { attempts: attempts(), value: item })
      },
      async ({ value }, item) => {
        expect(value).toBe(item)
        await new Promise((resolve) => setTimeout(resolve, 2))
        running--
        results.push(item)
      },
    )
    expect(most).toBe(3)
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  it('takes items one by one, when there is a thread for them', async () => {
    const { pool } = makePool({ threads: 2 })
    let taken = 0
    let finished = 0
    const items = function* (): Generator<number> {
      for (let i = 0; i < 30; i++) {
        expect(taken - finished).toBeLessThanOrEqual(4)
        taken++
        yield i
      }
    }
    await pool.runAll(
      items(),
      (item) => run(pool, { attempts: attempts(), value: item }),
      () => {
        finished++
      },
    )
    expect(finished).toBe(30)
  })

  it('ends with the first failure, after the tasks that run have stopped, and takes no new item', async () => {
    const { pool } = makePool({ threads: 2 })
    const started: number[] = []
    let open = 0
    const all = pool.runAll(
      Array.from({ length: 50 }, (_, i) => i),
      async (item) => {
        started.push(item)
        open++
        try {
          if (item === 3) return await run(pool, { attempts: attempts(), failures: 9 })
          return await run(pool, { attempts: attempts(), value: item })
        } finally {
          open--
        }
      },
      () => undefined,
    )
    await expect(all).rejects.toBeInstanceOf(WorkerFailedError)
    expect(open).toBe(0)
    expect(started.length).toBeLessThan(50)
  })

  it('ends when a result cannot be handled', async () => {
    const { pool } = makePool()
    const failing = pool.runAll(
      [1, 2, 3],
      (item) => run(pool, { attempts: attempts(), value: item }),
      () => {
        throw new RangeError('no room')
      },
    )
    await expect(failing).rejects.toThrow(RangeError)
  })

  it('ends with AbortedError when the signal fires between tasks', async () => {
    const controller = new AbortController()
    const { pool } = makePool({ signal: controller.signal, threads: 1 })
    let done = 0
    const all = pool.runAll(
      [1, 2, 3, 4],
      (item) => run(pool, { attempts: attempts(), value: item }),
      () => {
        if (++done === 2) controller.abort()
      },
    )
    await expect(all).rejects.toBeInstanceOf(AbortedError)
    // The one that was under way may have had its result already: that is not thrown away.
    expect(done).toBeLessThan(4)
  })
})
