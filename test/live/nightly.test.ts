/** A build from the source of truth, in another process, over an index whose writer never stops. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { buildIndex, InvalidOptionError, openIndex, type VectorRecord } from '../../dist/src/index.js'
import { compactGeneration } from '../../dist/src/live/jobs/compact-generation.js'
import { makeFolder, randomNumbers } from '../fixtures/builds.js'
import { openLive, settings, SMALL_LIMITS, withoutThreads } from '../fixtures/small-live-index.js'
import { WHOLE } from '../whole.js'

const IDS = 300
const BUILDS = WHOLE ? 6 : 2
const CHILD = fileURLToPath(new URL('nightly-child.mjs', import.meta.url))

it('loses no change that was made after it began, and replaces those that were acknowledged before', async () => {
  const path = join(makeFolder(), 'an.index')
  const random = randomNumbers(2)
  const limits = { ...SMALL_LIMITS, memoryRows: 60, graphRows: 1e6 }
  const index = await openLive(path, { limits }, settings({ dimensions: 2 }))
  /** By id: the version of its last change, undefined when it was deleted. */
  const last = new Map<number, number | undefined>()
  let version = 0
  let isDone = false
  const change = async (): Promise<void> => {
    const ids = [...new Set(Array.from({ length: 8 }, () => Math.floor(random() * IDS)))]
    version++
    const own = version
    if (own % 5 === 0) await index.delete(ids)
    else await index.upsert({ ids, vectors: Float32Array.from(ids.flatMap((id) => [own, id])), dimensions: 2 })
    for (const id of ids) last.set(id, own % 5 === 0 ? undefined : own)
  }
  for (let night = 0; night < BUILDS; night++) {
    for (let i = 0; i < 20; i++) await change()
    const before = new Map(last)
    last.clear()
    isDone = false
    const child = spawn(process.execPath, [CHILD, path, `${IDS}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    /** Ids that were changed while the build began: either order is right for them. */
    let doubtful: ReadonlySet<number> | undefined
    child.stdout.on('data', (text: Buffer) => (said += text.toString()))
    const ended = once(child, 'close').then(() => (isDone = true))
    // Every other time nothing is in doubt, for the writer waits until the build has begun.
    if (night % 2 === 0) await once(child.stdout, 'data')
    while (!isDone) {
      await change()
      if (doubtful === undefined && said.includes('began')) {
        doubtful = new Set(last.keys())
        last.clear()
      }
    }
    await ended
    const [, generation] = /published (\S+)/.exec(said) ?? []
    await vi.waitUntil(async () => {
      await change()
      return index.generation === generation
    }, { timeout: 60_000 }) // prettier-ignore
    const look = (one: { get(id: number): { vector: Float32Array } | undefined; count: number }): void => {
      let count = 0
      for (let id = 0; id < IDS; id++) {
        const found = one.get(id)?.vector[0]
        if (found !== undefined) count++
        if (last.has(id)) expect([id, found]).toEqual([id, last.get(id)])
        else if (doubtful?.has(id) !== true) expect([id, found, before.get(id)]).toEqual([id, 0, before.get(id)])
      }
      expect(one.count).toBe(count)
    }
    look(index)
    const reader = await openIndex(path)
    look(reader)
    await reader.close()
    for (let id = 0; id < IDS; id++) last.set(id, index.get(id)?.vector[0])
  }
  await index.close()
})

it('is not compacted away by what was read from the generation before', async () => {
  const path = join(makeFolder(), 'an.index')
  const index = await openLive(path, { limits: { ...SMALL_LIMITS, graphRows: 1e6 } }, settings({ dimensions: 2 }))
  const vectors = Float32Array.from({ length: 80 }, (_, i) => i)
  await index.upsert({ ids: Array.from({ length: 40 }, (_, i) => i), vectors, dimensions: 2 })
  await index.compact({ threads: 1 })
  await index.delete([1, 2, 3])
  await index.flush()
  await index.close()
  // No writer has taken this one over: PARTS and the dead rows are still of the generation before.
  await buildIndex([{ id: 'new', vector: [1, 2] }], { path, threads: 1, quality: 'balanced' })
  expect(await compactGeneration({ indexDir: path, options: { threads: 1 } })).toEqual({ kind: 'other-base' })
  const reader = await openIndex(path)
  expect([reader.count, reader.get('new') !== undefined]).toEqual([1, true])
  await reader.close()
  const writer = await openIndex(path, { write: true })
  await writer.upsert({ id: 'newer', vector: [3, 4] })
  expect((await writer.compact({ threads: 1 }))?.count).toBe(2)
  await writer.close()
})

describe('from a dump that is older than the build, with the change that it has', () => {
  const one = (id: string, value: number): VectorRecord => ({ id, vector: [value, 1] })
  const dump = ['kept', 'changed', 'deleted'].map((id) => one(id, 1))
  const options = { threads: 1, quality: 'balanced' } as const
  const valueOf = (index: { get(id: string): { vector: Float32Array } | undefined }, id: string): number | undefined =>
    index.get(id)?.vector[0]

  it.each([true, false])('loses no change that was made in between (sealed: %s)', async (isSealed) => {
    const end = withoutThreads()
    const path = join(makeFolder(), 'an.index')
    const index = await openLive(path, {}, settings({ dimensions: 2 }))
    await index.upsert([one('kept', 0), one('changed', 0), one('deleted', 0), one('only in the index', 0)])
    const { sequence } = index.live
    await index.upsert(one('changed', 2))
    await index.delete(['deleted'])
    await index.upsert(one('new', 2))
    if (isSealed) await index.flush()
    await buildIndex(dump, { path, ...options, liveSequence: sequence })
    const look = (open: Parameters<typeof valueOf>[0] & { readonly count: number }): void => {
      expect(['kept', 'changed', 'deleted', 'new', 'only in the index'].map((id) => valueOf(open, id))).toEqual([
        1,
        2,
        undefined,
        2,
        undefined,
      ])
      expect(open.count).toBe(3)
    }
    const reader = await openIndex(path)
    look(reader)
    await reader.close()
    await index.flush()
    await vi.waitUntil(() => index.generation !== '', { timeout: 10_000 })
    look(index)
    await index.close()
    end()
  })

  it('is refused when the changes in between are in the live generation only', async () => {
    const end = withoutThreads()
    const path = join(makeFolder(), 'an.index')
    const index = await openLive(path, {}, settings({ dimensions: 2 }))
    await index.upsert(one('kept', 0))
    const { sequence } = index.live
    await index.upsert(one('changed', 2))
    await index.compact({ threads: 1 })
    const build = buildIndex(dump, { path, ...options, liveSequence: sequence })
    await expect(build).rejects.toThrow(InvalidOptionError)
    await expect(build).rejects.toThrow('has the changes up to 2, which would be lost')
    expect(valueOf(index, 'changed')).toBe(2)
    await buildIndex(dump, { path, ...options, liveSequence: 2 })
    await index.close()
    end()
  })

  it('is refused with the number of a change that is not there', async () => {
    const path = join(makeFolder(), 'an.index')
    const never = buildIndex(dump, { path, ...options, liveSequence: 1 })
    await expect(never).rejects.toThrow('liveSequence is 1, and the last change of')
    const index = await openLive(path, {}, settings({ dimensions: 2 }))
    await index.upsert(dump)
    await index.close()
    await expect(buildIndex(dump, { path, ...options, liveSequence: 4 })).rejects.toThrow(InvalidOptionError)
    await buildIndex(dump, { path, ...options, liveSequence: 3 })
  })

  it('is not resumed when it was interrupted with another number', async () => {
    const path = join(makeFolder(), 'an.index')
    const index = await openLive(path, {}, settings({ dimensions: 2 }))
    await index.upsert([one('a', 0), one('b', 0)])
    const source = (fails: boolean) =>
      async function* (startAt: number) {
        for (let i = startAt; i < 3000; i++) {
          if (fails && i === 2500) throw new Error('cut off')
          yield one(`id ${i}`, i)
        }
      }
    const resumable = { path, ...options, sourceFingerprint: 'a dump', queueBytes: 0 }
    await expect(buildIndex(source(true), { ...resumable, liveSequence: 1 })).rejects.toThrow('cut off')
    const said: string[] = []
    const say = (line: string): void => void said.push(line)
    const logger = { info: say, warn: say }
    await buildIndex(source(false), { ...resumable, liveSequence: 2, logger })
    expect(said.join()).toContain('is not resumed: its source had the changes up to 1, this one has those up to 2')
    await index.close()
  })
})
