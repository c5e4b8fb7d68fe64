/** What goes wrong between two steps. */
import { cpSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  createIndex,
  DiskFullError,
  IndexClosedError,
  InvalidIdError,
  LogFailedError,
  openIndex,
  verifyIndex,
  type LiveEvent,
} from '../../dist/src/index.js'
import { JobThread } from '../../dist/src/live/jobs/job-thread.js'
import { frameRanges } from '../../src/format/live/frame-ranges.js'
import type { Change } from '../../src/format/live/log-change.js'
import type { LogWriter } from '../../src/format/live/log-writer.js'
import { CommitQueue, type CommitTarget } from '../../src/live/commit-queue.js'
import { makeFolder } from '../fixtures/builds.js'
import { jobsBy, openLive, settings, SMALL_LIMITS, withoutThreads } from '../fixtures/small-live-index.js'
import { outcome } from '../fixtures/index-files.js'

const newPath = (): string => join(makeFolder(), 'an.index')
const one = (id: string | number, value = 1): { id: string | number; vector: number[] } => ({ id, vector: [value, 1] })

/** A target whose log does what `append` does. */
function target(append: (lastSequence: number) => Promise<void>, apply: (change: Change) => number): CommitTarget {
  let failure: Error | undefined
  const log = {
    path: 'a.log',
    chain: 0,
    fileCrc: 0,
    syncedSequence: 0,
    given: 0,
    append: (_: unknown, lastSequence: number) => {
      log.given = lastSequence
      return failure ? Promise.reject(failure) : append(lastSequence)
    },
    fail: (error: Error) => (failure = error),
  }
  return {
    dimensions: 2,
    isSynced: true,
    lastSequence: 0,
    roomFor: () => Promise.resolve({ log: log as unknown as LogWriter, rows: 100 }),
    apply,
  }
}

const deletion = (...ids: string[]): { kind: 'delete'; ids: string[]; vectors: Float32Array } => ({
  kind: 'delete',
  ids,
  vectors: new Float32Array(0),
})

describe('a commit', () => {
  it('that failed has numbers that are not given again: a build may have read them', async () => {
    const failing = [true, false]
    const appended: number[] = []
    const queue = new CommitQueue(
      target(
        (last) => {
          if (failing.shift() === true) return Promise.reject(new Error('no space'))
          appended.push(last)
          return Promise.resolve()
        },
        () => 0,
      ),
    )
    expect(await outcome(queue.commit(deletion('a', 'b', 'c')))).toBeInstanceOf(Error)
    expect(await queue.commit(deletion('d'))).toEqual({ sequence: 4, removed: 0 })
    expect(appended).toEqual([4])
  })

  it('that is in the log and cannot be applied ends the log: no later change is applied without it', async () => {
    const applied: number[] = []
    const apply = ({ firstSequence }: Change): number => {
      if (firstSequence === 1) throw new Error('damaged')
      return applied.push(firstSequence)
    }
    const queue = new CommitQueue(target(() => Promise.resolve(), apply))
    for (const id of ['a', 'b']) {
      const error = (await outcome(queue.commit(deletion(id)))) as Error
      expect(error.message).toContain('open the index again')
    }
    expect(applied).toEqual([])
  })
})

describe('ids', () => {
  it('are divided by the bytes of a frame, and one that fits none is refused before anything is written', async () => {
    const ids = ['aaaaaaaaaa', 'bb', 'cc', 'dddddddddddddddd', 5]
    expect([...frameRanges(ids, 8, 100, 54)].map(([from, to]) => ids.slice(from, to))).toEqual([
      ['aaaaaaaaaa', 'bb'], ['cc', 'dddddddddddddddd'], [5]]) // prettier-ignore
    expect([...frameRanges(ids, 8, 2)]).toEqual([[0, 2], [2, 4], [4, 5]]) // prettier-ignore
    const index = await createIndex(newPath(), { dimensions: 2 })
    const long = 'x'.repeat(64 * 2 ** 20)
    expect(await outcome(index.upsert({ ids: ['a', long], vectors: Float32Array.of(1, 2, 3, 4), dimensions: 2 }))).toBeInstanceOf(InvalidIdError) // prettier-ignore
    expect(index.count).toBe(0)
    await index.close()
  })

  it('that are long fill a log like vectors do, and so do changes that leave no row', async () => {
    const end = withoutThreads()
    const limits = { ...SMALL_LIMITS, memoryRows: 1000, logBytes: 2 ** 16, graphRows: 1e6 }
    const path = newPath()
    const index = await openLive(path, { limits, durability: 'none' }, settings({ dimensions: 2 }))
    for (let i = 0; i < 60; i++) {
      await index.upsert(one(`${i} ${'long '.repeat(800)}`))
      expect(index.live.logBytes).toBeLessThan(2 ** 17)
    }
    for (let i = 0; i < 1500; i++) await index.delete(['never there'])
    expect(index.live.logBytes).toBeLessThan(2 ** 17)
    await index.flush()
    expect(index.live.seals).toBeGreaterThan(3)
    expect(index.count).toBe(60)
    await index.close()
    end()
  })
})

describe('a writer', () => {
  it('whose process died between new logs and the next PARTS goes on with numbers of its own', async () => {
    const limits = { ...SMALL_LIMITS, maxWaiting: 9, graphRows: 1e6 }
    const goOn = jobsBy(() => new Promise(() => undefined))
    let path = newPath()
    await openLive(path, { limits }, settings({ dimensions: 2 }))
    let count = 0
    for (let died = 0; died < 3; died++) {
      const copy = newPath()
      cpSync(path, copy, { recursive: true })
      rmSync(join(copy, 'live', 'LOCK'))
      path = copy
      const index = await openLive(path, { limits })
      expect(index.count).toBe(count)
      for (const end = count + 60; count < end; count++) await index.upsert(one(count))
    }
    goOn()
    const end = withoutThreads()
    const copy = newPath()
    cpSync(path, copy, { recursive: true })
    rmSync(join(copy, 'live', 'LOCK'))
    const next = await openLive(copy, { limits })
    expect(next.count).toBe(count)
    await next.upsert(one('last'))
    await next.flush()
    await next.close()
    const again = await openIndex(copy)
    expect(again.count).toBe(count + 1)
    await again.close()
    end()
  })

  it('is told at its next change when a sync by timer failed; nothing is lost but by a power cut', async () => {
    const path = newPath()
    const index = await createIndex(path, { dimensions: 2, durability: { everyMs: 1 } })
    const handle = await open(join(makeFolder(), 'any'), 'w')
    const prototype = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> }
    await handle.close()
    const { datasync } = prototype
    prototype.datasync = () => Promise.reject(Object.assign(new Error('EIO: injected'), { code: 'EIO' }))
    await index.upsert(one('a'))
    let failure: unknown
    await vi.waitUntil(async () => {
      failure = await outcome(index.upsert(one('b')))
      return failure instanceof LogFailedError
    })
    prototype.datasync = datasync
    expect(await outcome(index.delete(['a']))).toBeInstanceOf(LogFailedError)
    expect(index.search([1, 1], { k: 1 })[0].id).toBe('a')
    expect(await outcome(index.close())).toBeInstanceOf(LogFailedError)
    const again = await openIndex(path, { write: true })
    expect(again.get('a')).toBeDefined()
    await again.upsert(one('c'))
    await again.close()
  })

  it('waits for a seal when its memory is full, and not for the merge that follows', async () => {
    const end = withoutThreads()
    const run = Object.getOwnPropertyDescriptor(JobThread.prototype, 'run')?.value as JobThread['run']
    let waited = (): void => undefined
    let endMerge = (): void => undefined
    const goOn = jobsBy(async function (name, job) {
      if (name === 'merge') {
        return new Promise((_, reject) => {
          endMerge = () => reject(new Error('ended'))
        })
      }
      // Each seal takes until the writer has nothing to do but wait for it.
      await new Promise<void>((resolve) => (waited = resolve))
      return run.call(this, name as 'seal', job as never)
    })
    const onEvent = ({ kind }: LiveEvent): void => {
      if (kind === 'write-waits') waited()
    }
    const index = await openLive(newPath(), { onEvent }, settings({ dimensions: 2 }))
    const { memoryRows } = SMALL_LIMITS
    for (let id = 0; id < 5 * memoryRows + 1; id++) await index.upsert(one(id))
    expect(index.live).toMatchObject({ seals: 4, merges: 0, waits: 4 })
    goOn()
    endMerge()
    await index.close()
    end()
  })

  it.each([false, true])('gives no number again that a write had which failed (sealed: %s)', async (isSealed) => {
    const end = withoutThreads()
    const path = newPath()
    const index = await createIndex(path, { dimensions: 2 })
    await index.upsert(one('a'))
    const handle = await open(join(makeFolder(), 'any'), 'w')
    const prototype = Object.getPrototypeOf(handle) as { writev: () => Promise<unknown> }
    await handle.close()
    const { writev } = prototype
    prototype.writev = () => {
      prototype.writev = writev
      return Promise.reject(Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' }))
    }
    expect(await outcome(index.upsert([one('b'), one('c')]))).toBeInstanceOf(DiskFullError)
    if (isSealed) await index.flush()
    await index.close()
    const again = await openIndex(path, { write: true })
    expect(await again.upsert(one('d'))).toEqual({ count: 1, sequence: 4 })
    await again.close()
    expect(await verifyIndex(path)).toMatchObject({ ok: true, live: { sequence: 4 } })
    end()
  })

  it('is told within a second when somebody deleted live/: changes to deleted files are refused', async () => {
    const path = newPath()
    const events: LiveEvent[] = []
    const index = await createIndex(path, { dimensions: 2, onEvent: (event) => events.push(event) })
    await index.upsert(one('a'))
    rmSync(join(path, 'live'), { recursive: true })
    let failure: unknown
    await vi.waitUntil(async () => (failure = await outcome(index.upsert(one('b')))) instanceof Error, {
      timeout: 10_000,
    })
    expect(failure).toBeInstanceOf(LogFailedError)
    expect(events.map(({ message }) => message).join()).toContain('somebody deleted')
    expect(index.get('a')).toBeDefined()
    expect(await outcome(index.close())).toBeInstanceOf(Error)
  })

  it('refuses what no part in memory has room for, with the reason why none is sealed, and goes on afterwards', async () => {
    const path = newPath()
    const full = new DiskFullError({ path, neededBytes: 1, freeBytes: 0 })
    const goOn = jobsBy(() => Promise.reject(full))
    const limits = { ...SMALL_LIMITS, graphRows: 1e6 }
    const index = await openLive(path, { limits }, settings({ dimensions: 2 }))
    let refused: unknown
    let count = 0
    for (; refused === undefined && count < 500; count++) {
      const result = await outcome(index.upsert(one(count)))
      if (result instanceof Error) refused = result
    }
    expect(refused).toBe(full)
    expect(index.count).toBe(count - 1)
    expect(count).toBeGreaterThan(2 * SMALL_LIMITS.memoryRows)
    expect(await outcome(index.flush())).toBe(full)
    goOn()
    const end = withoutThreads()
    await index.upsert(one('after'))
    await index.flush()
    expect(index.live).toMatchObject({ memoryRows: 0 })
    expect(index.count).toBe(count)
    await index.close()
    expect(await outcome(index.flush())).toBeInstanceOf(IndexClosedError)
    expect(await outcome(index.compact())).toBeInstanceOf(IndexClosedError)
    end()
  })

  it('answers a batch that began before a new generation from that, without what was deleted', async () => {
    const path = newPath()
    const index = await openLive(path, {}, settings({ dimensions: 2 }))
    const ids = Array.from({ length: 60 }, (_, i) => i)
    await index.upsert({ ids, vectors: Float32Array.from(ids.flatMap((id) => [id, 1])), dimensions: 2 })
    await index.compact({ threads: 1 })
    await index.delete(ids.slice(0, 30))
    let isCompacted = false
    const compacting = index.compact({ threads: 1 }).then(() => (isCompacted = true))
    const queries = Array.from({ length: 4000 }, (_, i) => [i % 60, 1])
    while (!isCompacted) {
      for (const hits of await index.searchBatch(queries, { k: 60, ef: 60 })) {
        expect(hits.length).toBe(30)
        expect(hits.every(({ id }) => (id as number) >= 30)).toBe(true)
      }
    }
    await compacting
    await index.close()
  })
})
