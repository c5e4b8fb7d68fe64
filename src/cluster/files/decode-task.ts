import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { padded } from '../../../spill/files/frame.js'
import { CorruptSpillError, ShardloomError } from '../../errors.js'
import { internStrings } from '../../runtime/interned.js'
import { messageOf } from '../../runtime/realms.js'
import { SEGMENT_HEADER_BYTES } from '../../format/segment/segment-header.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import type { TaskJob } from '../messages.js'
import { readDataFile } from './data-file.js'
import type { HostFiles } from './host-files.js'
import { bytesOf, fillHead, NotPlain, viewOver, type ArrayShape, type Head, type View } from './plain-data.js'
import { makeSparseFile } from './sparse-file.js'
import { effectsOf, goesOut } from './task-effects.js'

/** A task on the host that runs it. What it writes goes to files of this attempt. */
export interface DecodedTask<Name extends TaskName = TaskName> {
  readonly job: TaskJob
  readonly name: Name
  readonly task: Tasks[Name]['task']
  /** The file in place of a segment, with the part at the same place in it. */
  readonly part: string | undefined
  /** The file in place of the task's own. */
  readonly file: string | undefined
  /** Gives back the arrays of the task, which must not run any more. */
  readonly release: () => void
}

/**
 * Reads a task. Nothing in it is trusted: its paths lie in the shared folder, its arrays are as large as their files,
 * and what it writes are new files, and grid rows beside the folder of results. Its numbers are the coordinator's.
 * @throws CorruptSpillError for a damaged or forged task or array, SHARDLOOM_SPILL_FAILED and other file errors
 */
export async function decodeTask(host: HostFiles, job: TaskJob): Promise<DecodedTask> {
  if (!isName(job.name))
    throw new CorruptSpillError(job.task.file, 0, `no task for hosts is ${JSON.stringify(job.name)}`)
  if (!/^\d+\.\d+$/.test(job.id)) throw new CorruptSpillError(job.task.file, 0, `no id of an attempt is ${job.id}`)
  const lent: (() => void)[] = []
  const release = (): void => lent.splice(0).forEach((giveBack) => giveBack())
  try {
    const task = (await readTask(host, job, lent)) as Tasks[typeof job.name]['task']
    return { job, name: job.name, release, ...(await withOwnFiles(host, job, task)) }
  } catch (error) {
    release()
    if (error instanceof ShardloomError) throw error
    // A property of something that is not there: these are not the parts of such a task.
    throw new CorruptSpillError(job.task.file, 0, `this is no task ${job.name}: ${messageOf(error)}`)
  }
}

function isName(name: string): name is TaskName {
  return goesOut(name as TaskName)
}

async function readTask(
  { paths, arrays, outputs }: HostFiles,
  { task }: TaskJob,
  lent: (() => void)[],
): Promise<unknown> {
  const file = await paths.resolve(task.file)
  let meanings = { paths: [] as string[], arrays: [] as View[], stored: [] as View[], holes: [] as View[] }
  const { value } = await readDataFile(file, task, async (head) => {
    meanings = {
      paths: await Promise.all(head.paths.map((each) => paths.resolve(each))),
      stored: [],
      holes: head.holes.map((shape) => {
        const memory = outputs.acquire(shape.bytes)
        lent.push(() => outputs.release(memory))
        return viewOver(shape, memory.buffer, memory.byteOffset)
      }),
      arrays: sideBySide(head.arrays),
    }
    for (const { shape, place } of head.stored) {
      const { memory, release } = await arrays.lend(await paths.resolve(place.file), place)
      lent.push(release)
      meanings.stored.push(viewOver(shape, memory, 0))
    }
    return meanings.arrays.map(bytesOf)
  })
  return internStrings(fillHead(value, { ...meanings, onlyMarkedPaths: true }))
}

/** All arrays in one memory that threads see, in the order of the file. */
function sideBySide(shapes: Head['arrays']): View[] {
  const memory = new SharedArrayBuffer(shapes.reduce((sum, { bytes }) => sum + padded(bytes), 0))
  let at = 0
  return shapes.map((shape: ArrayShape) => {
    const view = viewOver(shape, memory, at)
    at += padded(shape.bytes)
    return view
  })
}

async function withOwnFiles<Name extends TaskName>(
  { paths, results }: HostFiles,
  { id, name }: TaskJob & { readonly name: Name },
  given: Tasks[Name]['task'],
): Promise<{
  readonly task: Tasks[Name]['task']
  readonly part: string | undefined
  readonly file: string | undefined
}> {
  const { part, file, grid } = effectsOf(name)
  const folder = await paths.resolve(results)
  const store = grid?.(given)
  if (store !== undefined && (store.kind !== 'file' || path.dirname(store.path) !== path.dirname(folder))) {
    throw new NotPlain('its grid rows are not beside the folder of results')
  }
  const own = path.join(folder, `${id}.${randomUUID()}`)
  let task = given
  let ownPart: string | undefined
  let ownFile: string | undefined
  const partOf = part?.of(task)
  if (part !== undefined && partOf !== undefined) {
    ownPart = `${own}.part`
    await makeSparseFile(ownPart, SEGMENT_HEADER_BYTES + partOf.dataOffset + partOf.bytes)
    task = part.at(task, ownPart)
  }
  if (file !== undefined && file.of(task) !== undefined) {
    ownFile = `${own}.rows`
    task = file.at(task, ownFile)
  }
  return { task, part: ownPart, file: ownFile }
}
