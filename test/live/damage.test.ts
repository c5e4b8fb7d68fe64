/**
 * Every byte of `live/` that answers need is checked when it is opened: a flipped bit is found, and the error names the
 * file. What merges and later builds need is checked by them.
 */
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { CorruptIndexError, openIndex, PathError, type LiveEvent } from '../../dist/src/index.js'
import { makeFolder, randomNumbers } from '../fixtures/builds.js'
import { expectContents, LiveModel } from '../fixtures/live-model.js'
import { openLive, settings, withoutThreads } from '../fixtures/small-live-index.js'
import { outcome } from '../fixtures/index-files.js'
import { WHOLE } from '../whole.js'

const folder = makeFolder()
const whole = join(folder, 'whole.index')
const path = join(folder, 'damaged.index')
const model = new LiveModel({ dimensions: 6, metric: 'l2' })
const limits = { maxParts: 9, memoryRows: 100, memoryBytes: 2 ** 20, logBytes: 2 ** 20, maxWaiting: 4, graphRows: 20 }

/** A base, a part with a graph, one without, one of deletes, and changes in the log, closed. */
beforeAll(async () => {
  const random = randomNumbers(1)
  const end = withoutThreads()
  const index = await openLive(whole, { limits }, settings())
  const upsert = async (first: number, count: number): Promise<void> => {
    const ids = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? first + i : `id ${first + i}`))
    const vectors = Float32Array.from({ length: count * 6 }, () => random())
    await index.upsert({ ids, vectors, dimensions: 6 })
    model.upsert(ids, vectors)
  }
  await upsert(0, 40)
  await index.compact({ threads: 1 })
  await upsert(10, 30)
  await index.flush()
  await upsert(30, 12)
  await index.flush()
  const deleted = [0, 2, 4, 30]
  await index.delete(deleted)
  model.delete(deleted)
  await index.flush()
  await upsert(100, 3)
  await upsert(102, 1)
  await index.close()
  end()
})

/** Files below `live/`, but not those of a part's graph, which are checked block by block when they are read. */
function files(): string[] {
  const live = join(whole, 'live')
  return readdirSync(live, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !relative(live, entry.parentPath).includes('gen-'))
    .map((entry) => relative(whole, join(entry.parentPath, entry.name)))
    .filter((name) => !name.endsWith('CURRENT'))
    .sort()
}

function damage(name: string, change: (bytes: Buffer) => Buffer): void {
  rmSync(path, { recursive: true, force: true })
  cpSync(whole, path, { recursive: true })
  writeFileSync(join(path, name), change(readFileSync(join(path, name))))
}

describe('an index with a flipped bit', () => {
  it('has files of every kind', () => {
    const kinds = files().map((name) => basename(name).replace(/\d+/, '#'))
    expect(new Set(kinds)).toEqual(new Set(['PARTS', 'dead-#', 'log-#.log', 'rows.log', 'deletes.log', 'sequences']))
  })

  it('in any file of live/ is refused by readers and writers, and the error names the file', async () => {
    for (const name of files().filter((file) => !file.endsWith('deletes.log'))) {
      const { size } = statSync(join(whole, name))
      const step = WHOLE || size < 256 ? 1 : Math.floor(size / 12)
      const places = Array.from({ length: Math.ceil(size / step) }, (_, i) => i * step)
      for (const at of places) {
        const bit = 1 << (at % 8)
        damage(name, (bytes) => {
          bytes[at] ^= bit
          return bytes
        })
        const error = await outcome(openIndex(path))
        // The mark at the end of the log is all that may be lost unseen: it says that the rest was whole.
        if (basename(name).startsWith('log-') && at >= size - 40) {
          const index = await openIndex(path)
          expectContents(index, model)
          await index.close()
          continue
        }
        expect(error, `bit ${bit} of byte ${at} of ${name}`).toBeInstanceOf(CorruptIndexError)
        expect((error as CorruptIndexError).message).toContain(name)
        if (at === places[0]) {
          expect(await outcome(openIndex(path, { write: true }))).toBeInstanceOf(CorruptIndexError)
        }
      }
    }
  })

  it('in the last change of a log whose writer was closed is no torn write', async () => {
    const log =
      files()
        .filter((name) => basename(name).startsWith('log-'))
        .at(-1) ?? ''
    damage(log, (bytes) => {
      bytes[bytes.length - 48] ^= 1
      return bytes
    })
    expect(await outcome(openIndex(path))).toBeInstanceOf(CorruptIndexError)
  })

  it('is refused when a file is missing', async () => {
    for (const name of files().filter((file) => !file.endsWith('deletes.log'))) {
      damage(name, (bytes) => bytes)
      rmSync(join(path, name))
      for (const open of [() => openIndex(path), () => openIndex(path, { write: true })]) {
        const error = await outcome(open())
        expect(error, name).toBeInstanceOf(CorruptIndexError)
        expect((error as CorruptIndexError).message, name).toContain(name)
      }
    }
  })

  it('in deleted ids is found by a merge, which is given up: changes and searches go on', async () => {
    const name = files().find((file) => file.endsWith('deletes.log')) ?? ''
    damage(name, (bytes) => {
      bytes[bytes.length - 20] ^= 4
      return bytes
    })
    const failures: string[] = []
    const onEvent = ({ kind, message }: LiveEvent): void => {
      if (kind === 'maintenance-failed') failures.push(message)
    }
    const index = await openLive(path, { limits: { ...limits, maxParts: 1 }, onEvent })
    await vi.waitUntil(() => failures.length > 0, { timeout: 30_000 })
    expect(failures[0]).toContain(name)
    const changed = model.copy()
    await index.upsert({ id: 'new', vector: [1, 2, 3, 4, 5, 6] })
    changed.upsert(['new'], Float32Array.of(1, 2, 3, 4, 5, 6))
    await index.flush()
    expectContents(index, changed)
    await index.close()
    const again = await openIndex(path)
    expectContents(again, changed)
    await again.close()
  })

  it('is what its base is, when a person deletes live/ whole; and an index no more, without a base', async () => {
    damage('CURRENT', (bytes) => bytes)
    rmSync(join(path, 'live'), { recursive: true })
    const index = await openIndex(path, { write: true })
    expect(index.count).toBe(40)
    await index.upsert({ id: 'new', vector: [1, 2, 3, 4, 5, 6] })
    await index.close()
    const again = await openIndex(path)
    expect(again.count).toBe(41)
    await again.close()
    rmSync(join(path, 'live'), { recursive: true })
    rmSync(join(path, 'CURRENT'))
    expect(await outcome(openIndex(path))).toBeInstanceOf(PathError)
  })
})
