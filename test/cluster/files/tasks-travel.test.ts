import { readdirSync, readFileSync, statSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTask, type DecodedTask } from '../../../src/cluster/files/decode-task.js'
import { effectsOf, goesOut, withOwnFiles, type GivenTask } from '../../../src/cluster/files/task-effects.js'
import type { Place, TaskJob } from '../../../src/cluster/messages.js'
import type { RouteTask } from '../../../src/tasks/route/route-task.js'
import { randomRows, shared, specOf } from '../../fixtures/tasks.js'
import { runs } from '../../whole.js'
import { anyTask, type OutgoingName } from './any-task.js'
import { makeSharedFolder, type SharedFolder } from './shared-folder.js'

const NAMES = Object.keys(anyTask('')) as OutgoingName[]

const jobOf = (name: OutgoingName, task: Place, id = '7.0'): TaskJob => ({ version: '1', id, name, label: name, task })

/** The task as its host should see it: with its paths there. */
function seenThere(value: unknown, onHost: (file: string) => string): unknown {
  if (typeof value === 'string') return onHost(value)
  if (ArrayBuffer.isView(value) || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => seenThere(item, onHost))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, seenThere(each, onHost)]))
}

/** A task without what is not sent: the content of the array that it fills, and the names of what it writes. */
function comparable(name: OutgoingName, task: object): unknown {
  const { fill, part, file } = effectsOf(name)
  let plain = task
  if (part?.of(plain as never) !== undefined) plain = part.at(plain as never, 'PART')
  if (file?.of(plain as never) !== undefined) plain = file.at(plain as never, 'FILE')
  if (fill === undefined) return plain
  const { [fill.key]: filled, ...rest } = plain as Record<string, Uint8Array | undefined>
  return { ...rest, filledBytes: filled?.byteLength }
}

async function send(
  { files, host }: SharedFolder,
  name: OutgoingName,
  task: object,
  id = '7',
): Promise<{ decoded: DecodedTask; place: Place }> {
  const { output, ...rest } = task as { output?: Uint8Array }
  const isGiven = name !== 'merge' && output !== undefined
  const place = await files.encode(
    id,
    name,
    (isGiven ? rest : task) as GivenTask<OutgoingName>,
    isGiven ? output.length : undefined,
  )
  return { decoded: await decodeTask(host, jobOf(name, place, `${id}.0`)), place }
}

describe('every task for other hosts', () => {
  it.each(NAMES)('%s arrives as it was, with its paths on the host', async (name) => {
    const folder = await makeSharedFolder()
    let id = 0
    await fc.assert(
      fc.asyncProperty(anyTask(folder.build)[name], async (task) => {
        const { decoded } = await send(folder, name, task, String(id++))
        expect(comparable(name, decoded.task)).toStrictEqual(seenThere(comparable(name, task), folder.onHost))
        decoded.release()
      }),
      { numRuns: runs(120) },
    )
  })

  it.each(NAMES)('%s arrives as it was when all its arrays are shared', async (name) => {
    const folder = await makeSharedFolder()
    const [task] = fc.sample<object>(anyTask(folder.build)[name], { numRuns: 1, seed: 3 })
    const large = enlarged(task) as object
    folder.files.share(large)
    const { decoded } = await send(folder, name, large)
    expect(comparable(name, decoded.task)).toStrictEqual(seenThere(comparable(name, large), folder.onHost))
  })

  it('is one of the table, and all others stay', () => {
    expect(NAMES.filter((name) => !goesOut(name))).toEqual([])
    expect((['gather', 'reach', 'recall'] as const).filter(goesOut)).toEqual([])
  })
})

/** The same data with arrays large enough for a file of their own. */
function enlarged(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const Kind = value.constructor as new (length: number) => Uint8Array
    return new Kind(1500).map((_, i) => i % 251)
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(enlarged)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, enlarged(each)]))
}

function routeTask(build: string): Omit<RouteTask, 'output'> {
  const rows = randomRows(40, 8, 1)
  return {
    input: [{ kind: 'file', path: `${build}/ingest.spill`, offset: 0, frameBytes: 96, count: 4 }],
    rowKind: 'vectors',
    rowCount: 4,
    spec: specOf('l2', 8, rows),
    leaders: { codes: shared(8192), handicaps: new Float64Array(1024), count: 512 },
    overlap: 2,
    dropped: undefined,
  }
}

describe('a shared array', () => {
  it('is written once for all tasks and read once by a host, in memory that its threads see', async () => {
    const folder = await makeSharedFolder()
    const task = routeTask(folder.build)
    task.leaders.codes.fill(7)
    folder.files.share(task.leaders)
    const first = await send(folder, 'route', { ...task, output: new Uint8Array(64) }, '1')
    const second = await send(folder, 'route', { ...task, output: new Uint8Array(64) }, '2')
    const [a, b] = [first, second].map(({ decoded }) => (decoded.task as RouteTask).leaders.codes)
    expect(a).toEqual(task.leaders.codes)
    expect(a.buffer).toBe(b.buffer)
    expect(a.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(readdirSync(`${folder.build}/results`).filter((name) => name.startsWith('shared-'))).toHaveLength(2)
    expect(first.place.bytes).toBeLessThan(1500)
  })

  it('that is small goes with each task', async () => {
    const folder = await makeSharedFolder()
    const task = {
      ...routeTask(folder.build),
      leaders: { codes: shared(64), handicaps: new Float64Array(4), count: 4 },
    }
    folder.files.share(task.leaders)
    await send(folder, 'route', { ...task, output: new Uint8Array(64) })
    expect(readdirSync(`${folder.build}/results`)).toEqual(['7.task'])
  })

  it('that is shared again is written again, with what it holds now', async () => {
    const folder = await makeSharedFolder()
    const task = routeTask(folder.build)
    folder.files.share(task.leaders)
    await send(folder, 'route', { ...task, output: new Uint8Array(64) }, '1')
    task.leaders.codes.fill(9)
    folder.files.share(task.leaders)
    const { decoded } = await send(folder, 'route', { ...task, output: new Uint8Array(64) }, '2')
    expect((decoded.task as RouteTask).leaders.codes[0]).toBe(9)
  })

  it('whose file could not be written is written for the next task', async () => {
    const folder = await makeSharedFolder()
    const task = routeTask(folder.build)
    folder.files.share(task.leaders)
    await folder.files.close()
    await expect(folder.files.encode('1', 'route', task, 64)).rejects.toMatchObject({ code: 'SHARDLOOM_PATH' })
    await folder.files.open()
    const { decoded } = await send(folder, 'route', { ...task, output: new Uint8Array(64) }, '2')
    expect((decoded.task as RouteTask).leaders.codes).toEqual(task.leaders.codes)
  })
})

describe('a task on its way out', () => {
  it('has no content of the output that its host makes', async () => {
    const folder = await makeSharedFolder()
    const place = await folder.files.encode('1', 'route', routeTask(folder.build), 2 ** 20)
    expect(statSync(`${folder.here}/${place.file}`).size).toBeLessThan(2 ** 15)
    expect(readFileSync(`${folder.here}/${place.file}`)).toHaveLength(place.bytes)
  })

  it('that names a file outside of the shared folder is an error here, not on the host', async () => {
    const folder = await makeSharedFolder()
    const task = routeTask('/elsewhere')
    await expect(folder.files.encode('1', 'route', task, 64)).rejects.toThrow('outside of the shared folder')
  })

  it.each(['shard', 'merge', 'encode'] as const)(
    'does not name the files that its results become: %s',
    async (name) => {
      const folder = await makeSharedFolder()
      const tasks = fc.sample<object>(anyTask(folder.build)[name], { numRuns: 20, seed: 1 })
      const writing = tasks.filter((task) => effectsOf(name).part?.of(task as never) !== undefined)
      expect(writing).not.toEqual([])
      for (const [i, task] of writing.entries()) {
        const named = withOwnFiles(name, task as never, `${folder.build}/of-results`)
        const { place } = await send(folder, name, named, String(i))
        expect(readFileSync(`${folder.here}/${place.file}`, 'latin1')).not.toContain('of-results')
      }
    },
  )

  it('with grid rows in memory is an error here', async () => {
    const folder = await makeSharedFolder()
    const grid = { kind: 'memory', rowBytes: 16, bytes: shared(16) } as const
    const [task] = fc.sample(anyTask(folder.build).shard, { numRuns: 1, seed: 1 })
    await expect(folder.files.encode('1', 'shard', { ...task, grid }, 64)).rejects.toThrow('grid rows')
  })

  it('leaves nothing once it is forgotten', async () => {
    const folder = await makeSharedFolder()
    await folder.files.encode('1', 'route', routeTask(folder.build), 64)
    await folder.files.forget('1')
    expect(readdirSync(`${folder.build}/results`)).toEqual([])
  })
})
