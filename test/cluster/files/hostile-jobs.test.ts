import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeDataFile } from '../../../src/cluster/files/data-file.js'
import { decodeTask, type DecodedTask } from '../../../src/cluster/files/decode-task.js'
import { encodePlain } from '../../../src/cluster/files/plain-data.js'
import type { Place, TaskJob } from '../../../src/cluster/messages.js'
import { CorruptSpillError, ShardloomError } from '../../../src/errors.js'
import type { TaskName } from '../../../src/tasks/tasks.js'
import { makeFolder } from '../../fixtures/tasks.js'
import { makeSharedFolder, type SharedFolder } from './shared-folder.js'

/** A job whose file has the right checksum, and says anything. */
async function forged(
  { build, files }: SharedFolder,
  name: string,
  task: unknown,
  relative: (text: string) => string | undefined = (text) => (text.startsWith('>') ? text.slice(1) : undefined),
): Promise<TaskJob> {
  const data = encodePlain(task, { relative })
  const place = await writeDataFile(join(build, 'results', '1.task'), `${files.relativeFolder}/1.task`, data)
  return { version: '1', id: '1.0', name: name as TaskName, label: 'forged', task: place }
}

async function decoding(folder: SharedFolder, job: TaskJob): Promise<DecodedTask> {
  return decodeTask(folder.host, job)
}

const LONGEST = { vectors: { path: '>index/a', firstNode: 0, count: 1 }, dimensions: 1, wanted: 1 }

describe('a forged job', () => {
  it('is run when nothing is wrong with it', async () => {
    const folder = await makeSharedFolder()
    const { task } = await decoding(folder, await forged(folder, 'longest', LONGEST))
    expect(task).toEqual({ ...LONGEST, vectors: { ...LONGEST.vectors, path: join(folder.there, 'index', 'a') } })
  })

  it.each(['>../outside', '>/etc/passwd', '>index/../../x', '>index//a', '/etc/passwd', 'index/a', '>a\0'])(
    'that reads %s is refused',
    async (path) => {
      const folder = await makeSharedFolder()
      const job = await forged(folder, 'longest', { ...LONGEST, vectors: { ...LONGEST.vectors, path } })
      await expect(decoding(folder, job)).rejects.toThrow(CorruptSpillError)
    },
  )

  it('that reads by way of a link out is refused', async () => {
    const folder = await makeSharedFolder()
    symlinkSync(makeFolder(), join(folder.here, 'index', 'link'))
    const job = await forged(folder, 'longest', {
      ...LONGEST,
      vectors: { ...LONGEST.vectors, path: '>index/link/passwd' },
    })
    await expect(decoding(folder, job)).rejects.toThrow('out of the shared folder')
  })

  it.each(['gather', 'recall', 'nothing', 'constructor', '__proto__', 'toString'])(
    'of a task %s is refused',
    async (name) => {
      const folder = await makeSharedFolder()
      await expect(decoding(folder, await forged(folder, name, {}))).rejects.toThrow(CorruptSpillError)
    },
  )

  it.each(['../../x.0', '1', '1.0/../../x', ''])('with the id %j is refused', async (id) => {
    const folder = await makeSharedFolder()
    const job = await forged(folder, 'longest', LONGEST)
    await expect(decoding(folder, { ...job, id })).rejects.toThrow(CorruptSpillError)
  })

  it.each([undefined, null, 5, 'text', [], {}, { homes: 5 }])('of a shard that is %j is refused', async (task) => {
    const folder = await makeSharedFolder()
    await expect(decoding(folder, await forged(folder, 'shard', task))).rejects.toThrow(CorruptSpillError)
  })

  const shard = (gridPath: string): object => ({
    homes: { refs: [], count: 1, kind: 'vectors' },
    spec: { dimensions: 2 },
    rows: { path: '>index/CURRENT' },
    vectors: { path: '>index/gen-000001/vectors-000.seg', dataOffset: 0 },
    grid: { kind: 'file', rowBytes: 8, path: gridPath },
  })

  it('writes to files of its own, whatever file it names', async () => {
    const folder = await makeSharedFolder()
    const live = join(folder.here, 'index', 'gen-000001', 'vectors-000.seg')
    mkdirSync(join(live, '..'))
    writeFileSync(live, 'live')
    const { task } = (await decoding(
      folder,
      await forged(folder, 'shard', shard('>index/build/codes.bin')),
    )) as DecodedTask<'shard'>
    expect(task.vectors?.path).toMatch(/results\/1\.0\.[\w-]+\.part$/)
    expect(task.rows.path).toMatch(/results\/1\.0\.[\w-]+\.rows$/)
    expect(readFileSync(live, 'utf8')).toBe('live')
  })

  it.each(['>index/gen-000001/vectors-000.seg', '>index/CURRENT', '>other/build/codes.bin', '>index/build/results/x'])(
    'that writes grid rows to %s is refused, and nothing is made',
    async (path) => {
      const folder = await makeSharedFolder()
      const job = await forged(folder, 'shard', shard(path))
      await expect(decoding(folder, job)).rejects.toThrow('beside the folder of results')
      expect(readdirSync(join(folder.build, 'results'))).toEqual(['1.task'])
    },
  )

  it('whose array is said to be larger than its file is refused before memory is taken', async () => {
    const folder = await makeSharedFolder()
    const big = 2 ** 45
    const view = new Uint8Array(8)
    const place: Place = { file: 'index/build/results/shared-0.bin', offset: 0, bytes: big, crc: 0 }
    writeFileSync(join(folder.here, place.file), 'small')
    const data = encodePlain(
      { ...LONGEST, more: view },
      { relative: (text) => (text.startsWith('>') ? text.slice(1) : undefined), placeOf: () => place },
    )
    // The shape of the array in the head says the size of the place.
    const forgedData = encodePlain(
      { ...LONGEST, more: view },
      {
        relative: (text) => (text.startsWith('>') ? text.slice(1) : undefined),
        placeOf: () => ({ ...place, bytes: 8 }),
      },
    )
    for (const each of [data, forgedData]) {
      const file = join(folder.build, 'results', `${each === data ? 1 : 2}.task`)
      const task = await writeDataFile(file, `index/build/results/${each === data ? 1 : 2}.task`, each)
      const job: TaskJob = { version: '1', id: '1.0', name: 'longest', label: 'x', task }
      await expect(decoding(folder, job)).rejects.toThrow(CorruptSpillError)
    }
    expect(folder.host.arrays.bytes).toBe(0)
  })

  it('whose output is larger than any memory is refused, and gives back what it took', async () => {
    const folder = await makeSharedFolder()
    let held = 0
    const outputs = {
      acquire: (bytes: number): Uint8Array => {
        held++
        return new Uint8Array(new SharedArrayBuffer(bytes === 8 ? 2 ** 53 : bytes))
      },
      release: () => void held--,
    }
    const hole = new Uint8Array(8)
    const data = encodePlain({ output: hole }, { relative: () => undefined, isHole: () => true })
    const task = await writeDataFile(join(folder.build, 'results', '1.task'), 'index/build/results/1.task', data)
    const job: TaskJob = { version: '1', id: '1.0', name: 'route', label: 'x', task }
    await expect(decodeTask({ ...folder.host, outputs }, job)).rejects.toThrow(ShardloomError)
    expect(held).toBe(1)
  })

  it.each([
    ['outside', { file: '../1.task' }],
    ['that is not there', { file: 'index/build/results/9.task' }],
    ['that is a folder', { file: 'index' }],
    ['of another size', { bytes: 5 }],
    ['of a size below 0', { bytes: -5 }],
    ['of a size beyond all memory', { bytes: 2 ** 52 }],
    ['at an offset', { offset: 8 }],
    ['with another checksum', { crc: 0 }],
  ])('with a file %s is refused', async (_, wrong) => {
    const folder = await makeSharedFolder()
    const job = await forged(folder, 'longest', LONGEST)
    await expect(decoding(folder, { ...job, task: { ...job.task, ...wrong } })).rejects.toThrow(ShardloomError)
  })

  it('with any byte of its file changed, and the checksum of that, is refused or harmless', async () => {
    const folder = await makeSharedFolder()
    const job = await forged(folder, 'longest', { ...LONGEST, spec: new Float32Array(2) })
    const file = join(folder.here, job.task.file)
    const bytes = readFileSync(file)
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] ^= 0x10
      writeFileSync(file, changed)
      await expect(decoding(folder, job), `byte ${at}`).rejects.toThrow(CorruptSpillError)
    }
    expect(existsSync(join(folder.here, 'index', 'a'))).toBe(false)
  })
})
