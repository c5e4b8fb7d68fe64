import { lstat, mkdir, readdir, rename, rm, unlink } from 'node:fs/promises'
import path from 'node:path'
import { CorruptSpillError } from '../../errors.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import type { Place, TaskDone } from '../messages.js'
import { PartCopies } from './part-copies.js'
import { writeDataFile } from './data-file.js'
import type { OutputMemory } from './host-files.js'
import { readSentOutcome, type HostOutcome, type SentOutcome } from './outcome.js'
import { encodePlain } from './plain-data.js'
import { SharedFiles } from './shared-files.js'
import { SharedPaths } from './shared-paths.js'
import { asTask, effectsOf, filledArray, filledBytes, withOwnFiles, type GivenTask } from './task-effects.js'

const OWN_MEMORY: OutputMemory = { acquire: (bytes) => new Uint8Array(bytes), release: () => undefined }

/**
 * The coordinator's side of the folder of results: tasks on their way out, outcomes on their way back. A task has a
 * number; an attempt has that number, a dot and its own.
 */
export class TaskFiles {
  /** Relative, as in a BuildNotice. */
  readonly relativeFolder: string
  readonly #paths: SharedPaths
  readonly #folder: string
  readonly #shared: SharedFiles
  readonly #parts = new PartCopies()
  /** By task that is not forgotten, what is known to be there. */
  readonly #files = new Map<string, Set<string>>()
  #noOutput = new ArrayBuffer(0)
  #taskBytes = 0
  #outcomeBytes = 0

  /** Both absolute; the results lie in the shared folder, and the folder is for nothing else. */
  constructor(sharedDir: string, resultsDir: string) {
    this.#paths = new SharedPaths(sharedDir)
    const relative = this.#paths.relative(resultsDir)
    if (relative === undefined) throw new RangeError(`${resultsDir} is not inside of ${sharedDir}`)
    this.relativeFolder = relative
    this.#folder = path.resolve(resultsDir)
    this.#shared = new SharedFiles(this.#folder, relative)
  }

  /** Bytes of the tasks that were written and of the outcomes and parts that were read. */
  get bytes(): { readonly tasks: number; readonly shared: number; readonly outcomes: number } {
    return { tasks: this.#taskBytes, shared: this.#shared.bytes, outcomes: this.#outcomeBytes }
  }

  /** Makes the folder. @throws PathError and other file errors */
  async open(): Promise<void> {
    await typed(this.#folder, () => mkdir(this.#folder, { recursive: true }))
  }

  /** Deletes the folder with all that is in it. @throws file errors */
  async close(): Promise<void> {
    this.#files.clear()
    await typed(this.#folder, () => rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }))
  }

  /** Says that nothing changes the arrays in `value` as long as tasks have them: they are written once, for all. */
  share(value: object): void {
    this.#shared.share(value)
  }

  /**
   * Writes a task, for all its attempts. `outputBytes`: of the output that a host makes, for `runInto`.
   * @throws DiskFullError and other file errors
   */
  async encode<Name extends TaskName>(
    id: string,
    name: Name,
    task: GivenTask<Name>,
    outputBytes?: number,
  ): Promise<Place> {
    const { grid } = effectsOf(name)
    if (grid?.(asTask(task))?.kind === 'memory')
      throw new RangeError(`task ${id}, ${name}: its grid rows are not in a file`)
    const given = outputBytes === undefined ? task : { ...task, output: this.#outputOf(outputBytes) }
    // A host looks for each file that is named. Those that its own will become are not named: when one was not there,
    // a client of NFS says so for up to a minute, also to tasks that read it by then.
    const whole = withOwnFiles(name, asTask<Name>(given), path.join(this.#folder, id))
    const hole = filledArray(name, whole)
    const places = await this.#shared.placesIn(whole)
    const data = encodePlain(whole, {
      relative: (text) => {
        const relative = this.#paths.relative(text)
        if (relative !== undefined || !path.isAbsolute(text)) return relative
        throw new RangeError(`task ${id}, ${name}: ${text} is outside of the shared folder ${this.#paths.folder}`)
      },
      placeOf: (view) => places.get(view),
      isHole: (view) => view === hole,
    })
    const file = `${id}.task`
    this.#note(id, path.join(this.#folder, file))
    const place = await writeDataFile(path.join(this.#folder, file), `${this.relativeFolder}/${file}`, data)
    this.#taskBytes += place.bytes
    return place
  }

  /**
   * Accepts the outcome of an attempt. When it resolves with `ok`, all that the task wrote is where its caller wants it.
   * One attempt of a task at a time.
   * @throws CorruptSpillError for what is damaged or not what the task gives, and file errors; the task can run again
   * after any of them
   */
  async readOutcome<Name extends TaskName>(
    name: Name,
    task: GivenTask<Name>,
    done: TaskDone,
    outputs: OutputMemory = OWN_MEMORY,
  ): Promise<HostOutcome<Name>> {
    const filled = filledBytes(name, asTask(task))
    this.#noteOutcome(done)
    let output: Uint8Array | undefined
    const memory = (bytes: number): Uint8Array => {
      if (filled === 'output') return (output = outputs.acquire(bytes))
      if (filled?.length !== bytes) throw broken(done, `the task filled ${bytes} bytes, expected ${filled?.length}`)
      return filled
    }
    try {
      const sent = await readSentOutcome(this.#paths, done.outcome, filled && memory)
      this.#outcomeBytes += done.outcome.bytes
      const { outcome, figures } = sent
      if (!outcome.ok) {
        if (output !== undefined) outputs.release(output)
        return { ...outcome, figures }
      }
      if (filled !== undefined && sent.filled === undefined) throw broken(done, 'what the task fills is missing')
      const value = await this.#acceptFiles(name, task, done, sent, outcome.value as Tasks[Name]['result'])
      if (output !== undefined && output.length !== (value as { readonly outputBytes?: number }).outputBytes) {
        throw broken(done, `an output of ${output.length} bytes, not those of the result`)
      }
      return { ok: true, value, busyMs: outcome.busyMs, tileMs: outcome.tileMs, output, figures }
    } catch (error) {
      if (output !== undefined) outputs.release(output)
      throw error
    }
  }

  /** Deletes what an attempt left whose outcome is not used. @throws file errors */
  async discard({ id }: TaskDone): Promise<void> {
    await deleteFiles(await this.#filesOf(`${id}.`))
  }

  /** Deletes the files of a task. With `hadLost`, also those of attempts that never said anything. @throws file errors */
  async forget(id: string, hadLost = false): Promise<void> {
    const files = this.#files.get(id) ?? new Set()
    this.#files.delete(id)
    if (hadLost) for (const file of await this.#filesOf(`${id}.`)) files.add(file)
    await deleteFiles(files)
  }

  /** Takes over what the host wrote to files of its own, and returns the result as if the task had run here. */
  async #acceptFiles<Name extends TaskName>(
    name: Name,
    task: GivenTask<Name>,
    done: TaskDone,
    sent: SentOutcome,
    result: Tasks[Name]['result'],
  ): Promise<Tasks[Name]['result']> {
    const { part, file } = effectsOf(name)
    const expectedPart = part?.of(asTask(task))
    const expectedFile = file?.of(asTask(task))
    let value = result
    if (part !== undefined && expectedPart !== undefined) {
      const from = this.#own(done, sent.part)
      const claimed = part.checksums(result)
      if (claimed === undefined) throw broken(done, 'the checksums of what it wrote are missing')
      const checksums = await this.#parts.accept(from, expectedPart, claimed)
      this.#outcomeBytes += checksums.length
      value = part.withChecksums(value, checksums)
    }
    if (file !== undefined && expectedFile !== undefined) {
      const from = this.#own(done, sent.file)
      await moveFile(from, expectedFile, file.bytes(value))
      value = file.moved(value, expectedFile)
    }
    return value
  }

  /** Says only how large an output is: all have the same memory, which nobody writes to. */
  #outputOf(bytes: number): Uint8Array {
    if (bytes > this.#noOutput.byteLength) this.#noOutput = new ArrayBuffer(bytes)
    return new Uint8Array(this.#noOutput, 0, bytes)
  }

  #noteOutcome(done: TaskDone): void {
    const { file } = done.outcome
    const name = file.slice(this.relativeFolder.length + 1)
    if (file !== `${this.relativeFolder}/${name}` || name.includes('/') || !name.startsWith(`${done.id}.`)) {
      throw broken(done, 'it is no file of its own')
    }
    this.#note(taskOf(done.id), path.join(this.#folder, name))
  }

  /** A file that the attempt wrote beside its outcome, and that nobody else has. */
  #own(done: TaskDone, file: string | undefined): string {
    if (file === undefined) throw broken(done, 'the file with what it wrote is not named')
    const name = path.basename(file)
    if (path.dirname(file) !== this.#folder || !name.startsWith(`${done.id}.`)) {
      throw broken(done, `${file} is not a file of its own`)
    }
    this.#note(taskOf(done.id), file)
    return file
  }

  #note(id: string, file: string): void {
    const files = this.#files.get(id)
    if (files === undefined) this.#files.set(id, new Set([file]))
    else files.add(file)
  }

  async #filesOf(prefix: string): Promise<string[]> {
    const names = await typed(this.#folder, () => readdir(this.#folder))
    return names.filter((name) => name.startsWith(prefix)).map((name) => path.join(this.#folder, name))
  }
}

/** The number of a task in the id of an attempt. */
function taskOf(attempt: string): string {
  return attempt.split('.')[0]
}

function broken({ outcome: { file } }: TaskDone, reason: string): CorruptSpillError {
  return new CorruptSpillError(file, 0, reason)
}

/** Takes over a whole file. @throws CorruptSpillError for another size, and file errors */
async function moveFile(from: string, to: string, bytes: number): Promise<void> {
  const { size } = await typed(from, () => lstat(from))
  if (size !== bytes) throw new CorruptSpillError(from, size, `the file has ${size} bytes, its host says ${bytes}`)
  await typed(to, () => rename(from, to))
}

async function deleteFiles(files: Iterable<string>): Promise<void> {
  await Promise.all(Array.from(files, (file) => typed(file, () => deleteFile(file))))
}

/** `rm` would look first what it is. */
async function deleteFile(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}

async function typed<Value>(file: string, body: () => Promise<Value>): Promise<Value> {
  try {
    return await body()
  } catch (error) {
    throw writeFailure(file, 0, error)
  }
}
