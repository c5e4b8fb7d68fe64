/**
 * What each task writes beside its result, and which tasks other hosts run. A host that was given up may wake up hours
 * later, so it never writes to a file that counts: it writes to its own, which the coordinator takes over when it
 * accepts the result. Grid rows are the exception: they are written in place, the same bytes each time.
 */
import { quantizedShape, PQ_CENTROIDS, subspaceStart } from '../../format/graph/quantized-shape.js'
import type { PartChecksums } from '../../format/segment/segment-checksums.js'
import type { GridStore } from '../../rows/grid-store.js'
import { rowBytesOf } from '../../rows/record-layout.js'
import type { OutputTaskName, WithoutOutput } from '../../tasks/task-runner.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import type { ExpectedPart } from './part-copies.js'
import { bytesOf, type View } from './plain-data.js'

/** A task as its caller gives it: the host makes the output of `runInto`. */
export type GivenTask<Name extends TaskName> = Name extends OutputTaskName ? WithoutOutput<Name> : Task<Name>

type Task<Name extends TaskName> = Tasks[Name]['task']
type Result<Name extends TaskName> = Tasks[Name]['result']

/** Bytes of an array. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** An array that a task fills for its caller. */
export interface Fill<Name extends TaskName> {
  /** Where the task has it. */
  readonly key: 'output' | 'codebook'
  /**
   * What the task writes of an array of its caller, where no other byte may change; undefined when this task has none.
   * Absent: the array is the output of `runInto`, and the task writes its first `result.outputBytes` bytes.
   */
  readonly range?: (task: Task<Name>) => ByteRange | undefined
}

/** Bytes of a segment that a task writes. */
export interface Part<Name extends TaskName> {
  /** Undefined when this task writes none. `dataOffset` counts from the first data byte. */
  of(task: Task<Name>): ExpectedPart | undefined
  /** The task with another file in its place. */
  at(task: Task<Name>, path: string): Task<Name>
  checksums(result: Result<Name>): PartChecksums | undefined
  withChecksums(result: Result<Name>, checksums: PartChecksums): Result<Name>
}

/** A whole file that a task writes. */
export interface OwnFile<Name extends TaskName> {
  /** Undefined when this task writes none. */
  of(task: Task<Name>): string | undefined
  at(task: Task<Name>, path: string): Task<Name>
  /** Its size, by the result. */
  bytes(result: Result<Name>): number
  /** The result, when the file is at `path`. */
  moved(result: Result<Name>, path: string): Result<Name>
}

export interface TaskEffects<Name extends TaskName> {
  readonly fill?: Fill<Name>
  readonly part?: Part<Name>
  readonly file?: OwnFile<Name>
  /** The grid rows that it writes in place. */
  readonly grid?: (task: Task<Name>) => GridStore | undefined
}

/** Undefined: the coordinator runs it, as one walk, or a few rows, over what it reads anyway. */
export const TASK_EFFECTS: { readonly [Name in TaskName]: TaskEffects<Name> | undefined } = {
  leaders: {},
  trial: {},
  sample: {},
  longest: {},
  upper: {},
  exact: {},
  gather: undefined,
  reach: undefined,
  recall: undefined,
  route: { fill: { key: 'output' } },
  cut: { fill: { key: 'output' } },
  shard: {
    fill: { key: 'output' },
    part: {
      of: ({ vectors, homes, spec }) => vectors && { ...vectors, bytes: homes.count * rowBytesOf(homes.kind, spec) },
      at: (task, path) => ({ ...task, vectors: task.vectors && { ...task.vectors, path } }),
      checksums: (result) => result.checksums,
      withChecksums: (result, checksums) => ({ ...result, checksums }),
    },
    file: {
      of: ({ rows }) => rows.path,
      at: (task, path) => ({ ...task, rows: { ...task.rows, path } }),
      bytes: ({ stored }) => stored.reduce((sum, { ref }) => sum + ref.frameBytes, 0),
      moved: (result, path) => ({
        ...result,
        stored: result.stored.map(({ segment, ref }) => ({ segment, ref: { ...ref, path } })),
      }),
    },
    grid: ({ grid }) => grid,
  },
  restore: { grid: ({ grid }) => grid?.store },
  merge: {
    fill: { key: 'output', range: ({ output }) => output && { start: 0, end: output.length } },
    part: {
      of: ({ links, count, maxDegree }) => links && { ...links, bytes: count * 4 * (1 + maxDegree) },
      at: (task, path) => ({ ...task, links: task.links && { ...task.links, path } }),
      checksums: (result) => result.checksums,
      withChecksums: (result, checksums) => ({ ...result, checksums }),
    },
  },
  train: {
    fill: {
      key: 'codebook',
      range: ({ quantization, dimensions, from, to, subspaces, codebook }) => {
        if (quantization !== 'pq') return { start: 0, end: codebook.byteLength }
        const startOf = (s: number): number => 4 * PQ_CENTROIDS * subspaceStart(s, subspaces, dimensions)
        return { start: startOf(from), end: startOf(to) }
      },
    },
  },
  encode: {
    part: {
      of: ({ path, vectors, quantization, dimensions }) => ({
        path,
        dataOffset: 0,
        bytes: vectors.count * quantizedShape(quantization, dimensions).strideBytes,
      }),
      at: (task, path) => ({ ...task, path }),
      checksums: (result) => result.checksums,
      withChecksums: (result, checksums) => ({ ...result, checksums }),
    },
  },
}

/** Whether other hosts run it. The name may be any text. */
export function goesOut(name: TaskName): boolean {
  return Object.hasOwn(TASK_EFFECTS, name) && TASK_EFFECTS[name] !== undefined
}

/** @throws RangeError for a task that stays here */
export function effectsOf<Name extends TaskName>(name: Name): TaskEffects<Name> {
  const effects: TaskEffects<Name> | undefined = TASK_EFFECTS[name]
  if (effects === undefined) throw new RangeError(`task ${name} is not for other hosts`)
  return effects
}

/** The effects of tasks ask for no output of `runInto`, which a given task lacks. */
export function asTask<Name extends TaskName>(given: GivenTask<Name>): Tasks[Name]['task'] {
  return given as Tasks[Name]['task']
}

/** The task with files that begin with `own` in place of those that it writes. */
export function withOwnFiles<Name extends TaskName>(
  name: Name,
  task: Tasks[Name]['task'],
  own: string,
): Tasks[Name]['task'] {
  const { part, file } = effectsOf(name)
  const parted = part === undefined || part.of(task) === undefined ? task : part.at(task, `${own}.part`)
  return file === undefined || file.of(parted) === undefined ? parted : file.at(parted, `${own}.rows`)
}

/** The array of a task that its host makes; undefined when there is none. */
export function filledArray<Name extends TaskName>(name: Name, task: Tasks[Name]['task']): View | undefined {
  const { fill } = effectsOf(name)
  const parts: object = task
  const array: unknown = fill && Object.entries(parts).find(([key]) => key === fill.key)?.[1]
  return ArrayBuffer.isView(array) ? (array as View) : undefined
}

/**
 * The bytes that a task writes for its caller, in the array that it has for them, or 'output' for that of `runInto`;
 * undefined when it writes none.
 */
export function filledBytes<Name extends TaskName>(
  name: Name,
  task: Tasks[Name]['task'],
): Uint8Array | 'output' | undefined {
  const { fill } = effectsOf(name)
  if (fill === undefined) return undefined
  if (fill.range === undefined) return 'output'
  const range = fill.range(task)
  const array = filledArray(name, task)
  return range && array && bytesOf(array).subarray(range.start, range.end)
}
