/** A build from the source of truth, in another process, over an index whose writer never stops. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { buildIndex, openIndex } from '../../dist/src/index.js'
import { compactGeneration } from '../../dist/src/live/compact-generation.js'
import { makeFolder, randomNumbers } from '../fixtures/builds.js'
import { openLive, settings, SMALL_LIMITS } from '../fixtures/small-live-index.js'
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
