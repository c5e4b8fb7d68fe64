import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { rm } from 'node:fs/promises'
import type { ErrorData } from '../../tasks/task-outcome.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import type { TaskDone, TaskJob } from '../messages.js'
import { writeFailure } from '../../format/bytes/file-errors.js'
import { writeDataFile } from './data-file.js'
import type { DecodedTask } from './decode-task.js'
import type { HostFiles } from './host-files.js'
import type { HostFigures, SentOutcome } from './outcome.js'
import { encodePlain } from './plain-data.js'
import { filledBytes } from './task-effects.js'

/** What became of a task that ran. */
export interface RanTask<Name extends TaskName> {
  readonly value: Tasks[Name]['result']
  readonly busyMs: number
  readonly tileMs: number
}

/** Writes the result of a task, with what it filled. @throws DiskFullError and other file errors */
export async function encodeResult<Name extends TaskName>(
  files: HostFiles,
  { job, name, task, part, file }: DecodedTask<Name>,
  { value, busyMs, tileMs }: RanTask<Name>,
  host: { readonly host: string; readonly figures: HostFigures },
): Promise<TaskDone> {
  return write(files, job, host.host, {
    outcome: { ok: true, value, busyMs, tileMs },
    figures: host.figures,
    filled: filledBy(name, task, value),
    part,
    file,
  })
}

/** Writes why a task failed. @throws DiskFullError and other file errors */
export async function encodeFailure(
  files: HostFiles,
  job: TaskJob,
  error: ErrorData,
  host: { readonly host: string; readonly figures: HostFigures },
): Promise<TaskDone> {
  return write(files, job, host.host, { outcome: { ok: false, error }, figures: host.figures })
}

/** Deletes the files of an attempt whose result nobody gets. @throws file errors */
export async function dropOwnFiles({ part, file }: DecodedTask): Promise<void> {
  for (const own of [part, file]) {
    if (own === undefined) continue
    try {
      await rm(own, { force: true })
    } catch (error) {
      throw writeFailure(own, 0, error)
    }
  }
}

function filledBy<Name extends TaskName>(
  name: Name,
  task: Tasks[Name]['task'],
  value: Tasks[Name]['result'],
): Uint8Array | undefined {
  const filled = filledBytes(name, task)
  if (filled !== 'output') return filled
  const { output } = task as { readonly output: Uint8Array }
  return output.subarray(0, (value as { readonly outputBytes: number }).outputBytes)
}

async function write(
  { paths, results }: HostFiles,
  { id }: TaskJob,
  host: string,
  sent: SentOutcome,
): Promise<TaskDone> {
  const name = `${id}.${randomUUID()}.done`
  const file = path.join(await paths.resolve(results), name)
  const data = encodePlain(sent, { relative: (text) => paths.relative(text) })
  return { id, host, outcome: await writeDataFile(file, `${results}/${name}`, data) }
}
