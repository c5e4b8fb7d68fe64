import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeTask, type DecodedTask } from '../../../src/cluster/files/decode-task.js'
import { dropOwnFiles, encodeFailure, encodeResult } from '../../../src/cluster/files/encode-outcome.js'
import type { GivenTask } from '../../../src/cluster/files/task-effects.js'
import type { TaskDone } from '../../../src/cluster/messages.js'
import { CorruptSpillError, DiskFullError, ShardloomError } from '../../../src/errors.js'
import { partChecksums, partCrc } from '../../../src/format/segment/segment-checksums.js'
import { SEGMENT_HEADER_BYTES } from '../../../src/format/segment/segment-header.js'
import { writePart, type ShardResult } from '../../../src/tasks/link/shard-task.js'
import { errorData, reviveError } from '../../../src/tasks/task-outcome.js'
import type { Tasks } from '../../../src/tasks/tasks.js'
import { randomRows, shared, specOf } from '../../fixtures/tasks.js'
import type { OutgoingName } from './any-task.js'
import { makeSharedFolder, type SharedFolder } from './shared-folder.js'

const DIMENSIONS = 8
const spec = specOf('l2', DIMENSIONS, randomRows(40, DIMENSIONS, 1))
const HOST = { host: 'b-1-x', figures: { elapsedMs: 5, rssBytes: 7 } }

/** Sends the task, and returns what its host has. */
async function arrived<Name extends OutgoingName>(
  { files, host }: SharedFolder,
  name: Name,
  task: GivenTask<Name>,
  { id = '3.0', outputBytes }: { readonly id?: string; readonly outputBytes?: number } = {},
): Promise<DecodedTask<Name>> {
  const place = await files.encode(id.split('.')[0], name, task, outputBytes)
  return (await decodeTask(host, { version: '1', id, name, label: name, task: place })) as DecodedTask<Name>
}

function answer<Name extends OutgoingName>(
  { host }: SharedFolder,
  decoded: DecodedTask<Name>,
  value: Tasks[Name]['result'],
): Promise<TaskDone> {
  return encodeResult(host, decoded, { value, busyMs: 1, tileMs: 0.5 }, HOST)
}

const HOMES = 6
const PART_OFFSET = 3 * 4 * DIMENSIONS

/** A shard task of a build that can be resumed, and the vectors segment that it writes to. */
function shardTask({ build }: SharedFolder): GivenTask<'shard'> {
  const segment = join(build, 'vectors-000.seg')
  writeFileSync(segment, new Uint8Array(SEGMENT_HEADER_BYTES + 40 * 4 * DIMENSIONS).fill(1))
  const members = { refs: [], count: HOMES, kind: 'vectors' } as const
  return {
    spec,
    engine: 'pipnn',
    quality: 'balanced',
    m: 4,
    seed: 1,
    homes: members,
    replicas: { ...members, count: 0, kind: 'grid' },
    firstNode: 3,
    nodeOfOrdinal: new Uint32Array(40),
    grid: { kind: 'file', rowBytes: 16, path: join(build, 'base-codes.bin') },
    vectors: { path: segment, dataOffset: PART_OFFSET },
    rows: { segmentStarts: Uint32Array.of(0, 40), runBytes: 1024, path: join(build, 'base-graph-0.rows') },
  }
}

/** Does on the host what the task does: writes its part, its rows and its output. */
function runShard({ task, part, file }: DecodedTask<'shard'>): ShardResult {
  expect(task.vectors?.path).toBe(part)
  expect(task.rows.path).toBe(file)
  writeFileSync(file ?? '', new Uint8Array(48).fill(5))
  const checksums = writePart(task.vectors ?? { path: '', dataOffset: 0 }, partBytes())
  const ref = { kind: 'file', path: file ?? '', offset: 0, frameBytes: 48, count: 2 } as const
  return { checksums, runs: [], stored: [{ segment: 0, ref }], outputBytes: 0 }
}

const partBytes = (): Uint8Array => new Uint8Array(HOMES * 4 * DIMENSIONS).map((_, i) => i)

describe('an outcome', () => {
  it('brings the result, and the figures of its host', async () => {
    const folder = await makeSharedFolder()
    const vectors = { path: join(folder.build, 'a'), firstNode: 0, count: 3 }
    const task = { vectors, dimensions: 2, wanted: 2 }
    const value = { nodes: Uint32Array.of(1, 2), squaredNorms: Float64Array.of(-0, NaN), lengthSum: 1e300 }
    const done = await answer(folder, await arrived(folder, 'longest', task), value)
    expect(done).toMatchObject({ id: '3.0', host: 'b-1-x' })
    expect(await folder.files.readOutcome('longest', task, done)).toEqual({
      ok: true,
      value,
      busyMs: 1,
      tileMs: 0.5,
      output: undefined,
      figures: HOST.figures,
    })
  })

  it('may be that nothing was found', async () => {
    const folder = await makeSharedFolder()
    const part = { path: join(folder.build, 'a'), segmentStart: 0, firstNode: 0, rows: 1, strideBytes: 8, crc: 1 }
    const task = { part, grid: undefined, graphRows: undefined }
    const done = await answer(folder, await arrived(folder, 'restore', task), undefined)
    expect(await folder.files.readOutcome('restore', task, done)).toMatchObject({ ok: true, value: undefined })
  })

  it('brings a typed error with its class, its fields and its cause', async () => {
    const folder = await makeSharedFolder()
    const task = { vectors: { path: join(folder.build, 'a'), firstNode: 0, count: 3 }, dimensions: 2, wanted: 2 }
    const { job } = await arrived(folder, 'longest', task)
    const cause = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    const error = new DiskFullError({ path: join(folder.there, 'x'), neededBytes: 5, freeBytes: undefined }, cause)
    const done = await encodeFailure(folder.host, job, errorData(error), HOST)
    const outcome = await folder.files.readOutcome('longest', task, done)
    if (outcome.ok) throw new Error('it failed')
    const revived = reviveError(outcome.error)
    expect(revived).toBeInstanceOf(DiskFullError)
    expect(revived).toMatchObject({ kind: 'resources', details: { path: join(folder.here, 'x'), neededBytes: 5 } })
    expect(revived.cause).toMatchObject({ message: 'ENOSPC', code: 'ENOSPC' })
  })

  it('puts shared results into shared memory', async () => {
    const folder = await makeSharedFolder()
    const task = {
      sample: { kind: 'vectors', bytes: shared(32), count: 1 },
      spec,
      leaderCount: 1,
      overlap: 1,
    } as const
    const value = { leaders: { codes: shared(16), handicaps: new Float64Array(1), count: 1 } }
    const done = await answer(folder, await arrived(folder, 'leaders', task), value)
    const outcome = await folder.files.readOutcome('leaders', task, done)
    if (!outcome.ok) throw new Error('it did not fail')
    expect(outcome.value.leaders.codes.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(outcome.value.leaders.handicaps.buffer).toBeInstanceOf(ArrayBuffer)
  })
})

const routeOf = ({ build }: SharedFolder): GivenTask<'route'> => ({
  input: [{ kind: 'file', path: join(build, 'in.spill'), offset: 0, frameBytes: 8, count: 1 }],
  rowKind: 'vectors',
  rowCount: 1,
  spec,
  leaders: { codes: shared(16), handicaps: new Float64Array(1), count: 1 },
  overlap: 1,
  dropped: undefined,
})

describe('what a task filled', () => {
  it('is read into memory of the caller: as many bytes of the output as the result says', async () => {
    const folder = await makeSharedFolder()
    const task = routeOf(folder)
    const decoded = await arrived(folder, 'route', task, { outputBytes: 5000 })
    expect(decoded.task.output).toHaveLength(5000)
    decoded.task.output.fill(9, 0, 100)
    const done = await answer(folder, decoded, { counts: Uint32Array.of(1, 0), clamped: 0, outputBytes: 100 })
    const lent: number[] = []
    const acquire = (bytes: number): Uint8Array => {
      lent.push(bytes)
      return shared(bytes)
    }
    const outcome = await folder.files.readOutcome('route', task, done, { acquire, release: () => undefined })
    expect(outcome).toMatchObject({ ok: true, output: new Uint8Array(100).fill(9) })
    expect(lent).toEqual([100])
  })

  it('may be nothing', async () => {
    const folder = await makeSharedFolder()
    const decoded = await arrived(folder, 'route', routeOf(folder), { outputBytes: 50 })
    const done = await answer(folder, decoded, { counts: Uint32Array.of(0, 0), clamped: 0, outputBytes: 0 })
    expect(await folder.files.readOutcome('route', routeOf(folder), done)).toMatchObject({ output: new Uint8Array(0) })
  })

  it('gives its memory back when the outcome is not accepted', async () => {
    const folder = await makeSharedFolder()
    const decoded = await arrived(folder, 'route', routeOf(folder), { outputBytes: 50 })
    const done = await answer(folder, decoded, { counts: Uint32Array.of(1, 0), clamped: 0, outputBytes: 20 })
    const released: Uint8Array[] = []
    const outputs = { acquire: shared, release: (bytes: Uint8Array) => void released.push(bytes) }
    const forged = { ...done, outcome: { ...done.outcome, crc: 1 } }
    await expect(folder.files.readOutcome('route', routeOf(folder), forged, outputs)).rejects.toThrow(CorruptSpillError)
    expect(released.map(({ length }) => length)).toEqual([20])
  })

  it('is put into the caller’s links, of an upper layer', async () => {
    const folder = await makeSharedFolder()
    const links = new Uint8Array(new SharedArrayBuffer(100), 20, 40)
    const task: GivenTask<'merge'> = {
      rows: [],
      rowBytes: 0,
      firstNode: 1,
      count: 2,
      spec,
      grid: { kind: 'file', rowBytes: 16, path: join(folder.build, 'codes.bin') },
      nodeCount: 10,
      maxDegree: 4,
      chunkBytes: 1,
      links: undefined,
      output: links,
      longest: undefined,
    }
    const decoded = await arrived(folder, 'merge', task)
    decoded.task.output?.fill(7)
    const done = await answer(folder, decoded, { checksums: undefined, degreeSum: 3 })
    await folder.files.readOutcome('merge', task, done)
    const whole = new Uint8Array(links.buffer)
    expect([...whole].map((byte, i) => (i >= 20 && i < 60 ? byte === 7 : byte === 0))).not.toContain(false)
  })

  it('is its own subspaces of a codebook, and no other', async () => {
    const folder = await makeSharedFolder()
    const codebook = new Float32Array(new SharedArrayBuffer(4 * 256 * 8)).fill(1)
    const task: GivenTask<'train'> = {
      quantization: 'pq',
      dimensions: 8,
      sample: new Float32Array(8),
      sampleCount: 1,
      seed: 1,
      from: 1,
      to: 2,
      subspaces: 2,
      codebook,
    }
    const decoded = await arrived(folder, 'train', task)
    decoded.task.codebook.fill(5)
    const done = await answer(folder, decoded, undefined)
    await folder.files.readOutcome('train', task, done)
    expect(new Set(codebook.subarray(0, 256 * 4))).toEqual(new Set([1]))
    expect(new Set(codebook.subarray(256 * 4))).toEqual(new Set([5]))
  })
})

describe('what a shard wrote', () => {
  it('is taken over: its part of the segment, and its rows', async () => {
    const folder = await makeSharedFolder()
    const task = shardTask(folder)
    const decoded = await arrived(folder, 'shard', task, { outputBytes: 500 })
    const done = await answer(folder, decoded, runShard(decoded))
    const before = readFileSync(task.vectors?.path ?? '')
    const outcome = await folder.files.readOutcome('shard', task, done)
    if (!outcome.ok) throw new Error('it did not fail')
    const expected = partChecksums(PART_OFFSET, partBytes())
    expect(outcome.value.checksums).toEqual(expected)
    before.set(partBytes(), SEGMENT_HEADER_BYTES + PART_OFFSET)
    expect(readFileSync(task.vectors?.path ?? '').equals(before)).toBe(true)
    expect(outcome.value.stored).toEqual([
      { segment: 0, ref: { kind: 'file', path: task.rows.path, offset: 0, frameBytes: 48, count: 2 } },
    ])
    expect(readFileSync(task.rows.path ?? '')).toEqual(Buffer.alloc(48, 5))
    await folder.files.forget('3')
    expect(readdirSync(join(folder.build, 'results'))).toEqual([])
  })

  it('touches nothing that counts before it is accepted', async () => {
    const folder = await makeSharedFolder()
    const task = shardTask(folder)
    const decoded = await arrived(folder, 'shard', task, { outputBytes: 500 })
    await answer(folder, decoded, runShard(decoded))
    expect(new Set(readFileSync(task.vectors?.path ?? ''))).toEqual(new Set([1]))
    expect(existsSync(task.rows.path ?? '')).toBe(false)
  })

  it('of two attempts is in two files, and discarding one leaves the other', async () => {
    const folder = await makeSharedFolder()
    const task = shardTask(folder)
    const first = await arrived(folder, 'shard', task, { outputBytes: 500 })
    const doneFirst = await answer(folder, first, runShard(first))
    const second = (await decodeTask(folder.host, { ...first.job, id: '3.1' })) as DecodedTask<'shard'>
    const doneSecond = await answer(folder, second, runShard(second))
    await folder.files.discard(doneFirst)
    const outcome = await folder.files.readOutcome('shard', task, doneSecond)
    expect(outcome.ok).toBe(true)
    await folder.files.forget('3')
    expect(readdirSync(join(folder.build, 'results'))).toEqual([])
  })

  it('by an attempt that never said anything goes with the task', async () => {
    const folder = await makeSharedFolder()
    const decoded = await arrived(folder, 'shard', shardTask(folder), { outputBytes: 500 })
    runShard(decoded)
    await folder.files.forget('3', true)
    expect(readdirSync(join(folder.build, 'results'))).toEqual([])
  })

  it('goes when the host gives the task up', async () => {
    const folder = await makeSharedFolder()
    const decoded = await arrived(folder, 'shard', shardTask(folder), { outputBytes: 500 })
    runShard(decoded)
    await dropOwnFiles(decoded)
    expect(readdirSync(join(folder.build, 'results'))).toEqual(['3.task'])
  })
})

/** Changes a byte of a file. */
function damage(file: string, at: number): void {
  const byte = readFileSync(file)[at]
  const fd = openSync(file, 'r+')
  writeSync(fd, Uint8Array.of(byte ^ 1), 0, 1, at)
  closeSync(fd)
}

describe('a broken result', () => {
  it.each([
    ['whose part is damaged', ({ part }: DecodedTask) => damage(part ?? '', SEGMENT_HEADER_BYTES + PART_OFFSET + 7)],
    [
      'whose part is short',
      ({ part }: DecodedTask) => truncateSync(part ?? '', SEGMENT_HEADER_BYTES + PART_OFFSET + 7),
    ],
    ['whose rows are short', ({ file }: DecodedTask) => truncateSync(file ?? '', 47)],
  ])('%s is an error, and the next attempt is accepted', async (_, harm) => {
    const folder = await makeSharedFolder()
    const task = shardTask(folder)
    const first = await arrived(folder, 'shard', task, { outputBytes: 500 })
    const done = await answer(folder, first, runShard(first))
    harm(first)
    await expect(folder.files.readOutcome('shard', task, done)).rejects.toThrow(CorruptSpillError)
    const second = (await decodeTask(folder.host, { ...first.job, id: '3.1' })) as DecodedTask<'shard'>
    const outcome = await folder.files.readOutcome('shard', task, await answer(folder, second, runShard(second)))
    expect(outcome.ok && partCrc(outcome.value.checksums ?? partChecksums(0, partBytes()))).toBe(
      partCrc(partChecksums(PART_OFFSET, partBytes())),
    )
  })

  it('with any byte of its file changed is an error', async () => {
    const folder = await makeSharedFolder()
    const task = routeOf(folder)
    const decoded = await arrived(folder, 'route', task, { outputBytes: 50 })
    const done = await answer(folder, decoded, { counts: Uint32Array.of(1, 0), clamped: 0, outputBytes: 20 })
    const file = join(folder.here, done.outcome.file)
    const bytes = readFileSync(file)
    for (let at = 0; at < bytes.length; at++) {
      damage(file, at)
      await expect(folder.files.readOutcome('route', task, done), `byte ${at}`).rejects.toThrow(CorruptSpillError)
      writeFileSync(file, bytes)
    }
    expect(await folder.files.readOutcome('route', task, done)).toMatchObject({ ok: true })
  })

  it('cut at any byte is an error', async () => {
    const folder = await makeSharedFolder()
    const task = routeOf(folder)
    const decoded = await arrived(folder, 'route', task, { outputBytes: 50 })
    const done = await answer(folder, decoded, { counts: Uint32Array.of(1, 0), clamped: 0, outputBytes: 20 })
    const file = join(folder.here, done.outcome.file)
    for (let size = readFileSync(file).length - 1; size >= 0; size--) {
      truncateSync(file, size)
      await expect(folder.files.readOutcome('route', task, done), `${size} bytes`).rejects.toThrow(CorruptSpillError)
    }
  })

  it('that is gone is a typed error', async () => {
    const folder = await makeSharedFolder()
    const task = routeOf(folder)
    const outcome = { file: `${folder.files.relativeFolder}/3.0.x.done`, offset: 0, bytes: 50, crc: 1 }
    const reading = folder.files.readOutcome('route', task, { id: '3.0', host: 'b', outcome })
    await expect(reading).rejects.toThrow(ShardloomError)
  })

  it.each([
    ['a file of another task', 'index/build/results/4.0.x.done'],
    ['a file beside the results', 'index/build/3.0.x.done'],
    ['a file of the index', 'index/build/results/3.0./../../vectors-000.seg'],
    ['a file outside', '../3.0.x.done'],
  ])('that names %s is refused, and the file stays', async (_, file) => {
    const folder = await makeSharedFolder()
    const other = join(folder.build, 'results', '4.0.x.done')
    writeFileSync(other, 'x')
    const done = { id: '3.0', host: 'b', outcome: { file, offset: 0, bytes: 50, crc: 1 } }
    await expect(folder.files.readOutcome('route', routeOf(folder), done)).rejects.toThrow(CorruptSpillError)
    await folder.files.forget('3')
    expect(existsSync(other)).toBe(true)
  })

  it.each(['part', 'file'] as const)('whose %s is a file of the build is refused, and the file stays', async (key) => {
    const folder = await makeSharedFolder()
    const task = shardTask(folder)
    const decoded = await arrived(folder, 'shard', task, { outputBytes: 500 })
    const result = runShard(decoded)
    const forged = { ...decoded, [key]: folder.onHost(task.vectors?.path ?? '') }
    const done = await answer(folder, forged, result)
    await expect(folder.files.readOutcome('shard', task, done)).rejects.toThrow('not a file of its own')
    await folder.files.forget('3', true)
    expect(existsSync(task.vectors?.path ?? '')).toBe(true)
  })

  it('whose part lies elsewhere in the segment is refused before a byte is copied', async () => {
    const folder = await makeSharedFolder()
    const task = shardTask(folder)
    const decoded = await arrived(folder, 'shard', task, { outputBytes: 500 })
    const result = { ...runShard(decoded), checksums: partChecksums(0, partBytes()) }
    const done = await answer(folder, decoded, result)
    await expect(folder.files.readOutcome('shard', task, done)).rejects.toThrow(CorruptSpillError)
    expect(new Set(readFileSync(task.vectors?.path ?? ''))).toEqual(new Set([1]))
  })

  it('that fills more than the task’s own bytes is refused, and the rest of the array stays', async () => {
    const folder = await makeSharedFolder()
    const codebook = new Float32Array(4)
    const sent = { quantization: 'sq8', dimensions: 2, sample: codebook, sampleCount: 1, seed: 1 } as const
    const task = { ...sent, from: 0, to: 1, subspaces: 1, codebook }
    const decoded = await arrived(folder, 'train', task)
    const forged = { ...decoded, task: { ...decoded.task, codebook: new Float32Array(8).fill(3) } }
    const done = await answer(folder, forged, undefined)
    await expect(folder.files.readOutcome('train', task, done)).rejects.toThrow(CorruptSpillError)
    expect([...codebook]).toEqual([0, 0, 0, 0])
  })
})
