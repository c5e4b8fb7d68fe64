/** Readers of an index that another process changes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createIndex, openIndex, type Index } from '../../dist/src/index.js'
import { lastSequence } from '../../src/format/live/last-sequence.js'
import { encodeFrame } from '../../src/format/live/log-frame.js'
import { logName } from '../../src/format/live/live-paths.js'
import { LogWriter } from '../../src/format/live/log-writer.js'
import { readLog, type LogEnd } from '../../src/format/live/read-log.js'
import { makeFolder } from '../fixtures/builds.js'
import { WHOLE } from '../whole.js'

const SHAPE = { dimensions: 2, metric: 'l2' } as const

describe('a reader in another process', () => {
  it('sees whole changes only, and none go back, whatever is sealed, merged, compacted and deleted meanwhile', async () => {
    const path = join(makeFolder(), 'an.index')
    const changes = WHOLE ? 900 : 250
    const program = fileURLToPath(new URL('readers-child.mjs', import.meta.url))
    const child = spawn(process.execPath, [program, path, `${changes}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'close') as Promise<[number | null]>
    let said = ''
    child.stdout.on('data', (text: Buffer) => (said += text.toString()))
    await once(child.stdout, 'data')
    const seen = new Map<number, number>()
    const look = (index: Index): void => {
      for (let group = 0; group < 7; group++) {
        const versions = Array.from({ length: 12 }, (_, i) => index.get(`${group} ${i}`)?.vector[0] ?? -1)
        expect(new Set(versions).size, `group ${group}: ${versions.join()}`).toBe(1)
        if (versions[0] < 0) continue
        expect(versions[0]).toBeGreaterThanOrEqual(seen.get(group) ?? 0)
        seen.set(group, versions[0])
      }
      expect(index.count % 12).toBe(0)
      expect(index.search([1, 1], { k: 200 }).length).toBe(index.count)
    }
    const index = await openIndex(path)
    let refreshes = 0
    const generations = new Set<string>()
    while (!said.includes('done')) {
      await index.refresh()
      look(index)
      generations.add(index.generation)
      if (refreshes++ % 10 > 0) continue
      const another = await openIndex(path)
      look(another)
      await another.close()
    }
    expect(await ended).toEqual([0, null])
    await index.refresh()
    look(index)
    for (let version = changes - 6; version <= changes; version++) {
      expect(index.get(`${version % 7} 0`)?.vector[0]).toBe(version % 11 === 0 ? undefined : version)
    }
    expect(refreshes).toBeGreaterThan(20)
    expect(generations.size).toBeGreaterThan(1)
    await index.close()
  })
})

/** The newest log of a closed index, to write to as its writer would. */
class Log {
  readonly path: string
  #end: LogEnd

  private constructor(path: string, end: LogEnd) {
    this.path = path
    this.#end = end
  }

  static async of(index: string): Promise<Log> {
    const name = readdirSync(join(index, 'live')).filter((one) => one.startsWith('log-')).sort().at(-1) ?? '' // prettier-ignore
    const path = join(index, 'live', name)
    return new Log(path, await readLog(path, SHAPE, () => undefined))
  }

  get number(): number {
    return this.#end.facts?.number ?? 0
  }

  /** Appends one upsert. Returns what a writer does that finds it cannot: cuts it off again. */
  async append(ids: readonly string[], value: number, firstSequence: number): Promise<() => void> {
    const before = this.#end
    if (before.facts === undefined) throw new Error('the log has a header')
    const writer = await LogWriter.reopen(this.path, before.facts, before)
    const vectors = new Float32Array(2 * ids.length).fill(value)
    const place = { dimensions: 2, fileCrc: writer.fileCrc, chain: writer.chain, synced: 0 }
    const { bytes, chain } = encodeFrame({ kind: 'upsert', ids, vectors, firstSequence }, place)
    await writer.append([bytes], firstSequence + ids.length - 1, chain, false)
    await writer.close()
    this.#end = await readLog(this.path, SHAPE, () => undefined)
    return () => {
      truncateSync(this.path, before.end)
      this.#end = before
    }
  }

  /** A log after this one. */
  async next(firstSequence: number): Promise<Log> {
    const path = join(this.path, '..', logName(this.number + 1))
    const facts = { ...SHAPE, number: this.number + 1, firstSequence, chain: this.#end.chain }
    await (await LogWriter.create(path, facts)).close()
    return new Log(path, await readLog(path, SHAPE, () => undefined))
  }
}

async function indexWith(id: string): Promise<string> {
  const path = join(makeFolder(), 'an.index')
  const index = await createIndex(path, SHAPE)
  await index.upsert({ id, vector: [1, 1] })
  await index.close()
  return path
}

describe('a reader of a write that failed, and was cut off again', () => {
  it.each([
    ['of the same length', ['y']],
    ['that is longer', ['y', 'z']],
    ['that is shorter', ['']],
  ])('forgets it when it reads on, and has the next write, %s', async (_, ids) => {
    const path = await indexWith('first')
    const log = await Log.of(path)
    const reader = await openIndex(path)
    const cut = await log.append(['x'], 5, 2)
    expect(await reader.refresh()).toBe(true)
    expect(reader.get('x')?.vector[0]).toBe(5)
    cut()
    await log.append(ids, 6, 3)
    expect(await reader.refresh()).toBe(true)
    expect(reader.get('x')).toBeUndefined()
    for (const id of ids) expect(reader.get(id)?.vector[0]).toBe(6)
    expect(reader.count).toBe(1 + ids.length)
    await reader.close()
  })

  it('forgets it when nothing was written since', async () => {
    const path = await indexWith('first')
    const log = await Log.of(path)
    const reader = await openIndex(path)
    const cut = await log.append(['x'], 5, 2)
    await reader.refresh()
    cut()
    await reader.refresh()
    expect([reader.get('x'), reader.count]).toEqual([undefined, 1])
    await reader.close()
  })
})

describe('a log after the one that PARTS names', () => {
  it('is read by a refresh, before the one before it is sealed', async () => {
    const path = await indexWith('first')
    const log = await Log.of(path)
    const reader = await openIndex(path)
    await log.append(['a'], 2, 2)
    const next = await log.next(3)
    await next.append(['b'], 3, 3)
    expect(await reader.refresh()).toBe(true)
    expect([reader.count, reader.get('b')?.vector[0]]).toEqual([3, 3])
    const third = await next.next(4)
    await third.append(['c'], 4, 4)
    expect(await reader.refresh()).toBe(true)
    expect(reader.count).toBe(4)
    await reader.close()
    expect(await lastSequence(path)).toBe(4)
    const writer = await openIndex(path, { write: true })
    await writer.upsert({ id: 'd', vector: [5, 5] })
    await writer.flush()
    expect(writer.count).toBe(5)
    await writer.close()
  })

  it('is none while it has no header: changes of the one before it count, whole or torn', async () => {
    const path = await indexWith('first')
    const log = await Log.of(path)
    await log.append(['a'], 2, 2)
    writeFileSync(log.path, Buffer.from('the beginning of a write'), { flag: 'a' })
    const unfinished = join(path, 'live', logName(log.number + 1))
    writeFileSync(unfinished, Buffer.alloc(10))
    const reader = await openIndex(path)
    expect(reader.count).toBe(2)
    expect(await lastSequence(path)).toBe(2)
    for (const id of ['b', 'c']) {
      const writer = await openIndex(path, { write: true })
      await writer.upsert({ id, vector: [3, 3] })
      await writer.flush()
      await writer.close()
    }
    await reader.refresh()
    expect(reader.count).toBe(4)
    await reader.close()
  })
})
