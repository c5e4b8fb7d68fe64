/** What a host says of a task. */
import * as v from 'valibot'
import { CorruptSpillError } from '../../errors.js'
import { internStrings } from '../../runtime/interned.js'
import type { ErrorData } from '../../tasks/task-outcome.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import type { Place } from '../messages.js'
import { readDataFile } from './data-file.js'
import { arrayPlaceOf, bytesOf, fillHead, NotPlain, viewOver, type ArrayShape, type View } from './plain-data.js'
import type { SharedPaths } from './shared-paths.js'

/** The host while it had the task. */
export interface HostFigures {
  /** From taking the job until its outcome was encoded. */
  readonly elapsedMs: number
  readonly rssBytes: number
}

/** An outcome that was accepted: what the task wrote is where its caller wants it. */
export type HostOutcome<Name extends TaskName> = { readonly figures: HostFigures } & (
  | {
      readonly ok: true
      readonly value: Tasks[Name]['result']
      readonly busyMs: number
      readonly tileMs: number
      /** Of a task of `runInto`; undefined for any other. */
      readonly output: Uint8Array | undefined
    }
  | { readonly ok: false; readonly error: ErrorData }
)

/** As it travels. */
export interface SentOutcome {
  readonly outcome:
    | { readonly ok: true; readonly value?: unknown; readonly busyMs: number; readonly tileMs: number }
    | { readonly ok: false; readonly error: ErrorData }
  readonly figures: HostFigures
  /** What the task wrote of the array that it fills. */
  readonly filled?: Uint8Array | undefined
  /** The host's own file in place of the segment. */
  readonly part?: string | undefined
  /** The host's own file in place of the task's. */
  readonly file?: string | undefined
}

const errorData = v.object({
  name: v.string(),
  message: v.string(),
  stack: v.optional(v.string()),
  fields: v.record(v.string(), v.unknown()),
  cause: v.optional(v.lazy((): v.GenericSchema<ErrorData> => errorData)),
}) as unknown as v.GenericSchema<ErrorData>

const sentOutcome = v.object({
  outcome: v.variant('ok', [
    v.object({ ok: v.literal(true), value: v.optional(v.unknown()), busyMs: v.number(), tileMs: v.number() }),
    v.object({ ok: v.literal(false), error: errorData }),
  ]),
  figures: v.object({ elapsedMs: v.number(), rssBytes: v.number() }),
  filled: v.optional(v.custom<Uint8Array>((value) => ArrayBuffer.isView(value))),
  part: v.optional(v.string()),
  file: v.optional(v.string()),
})

/**
 * Reads an outcome. What the task filled goes straight to `filledMemory`, of so many bytes; without it, an outcome has none.
 * @throws CorruptSpillError, OutsidePath, SHARDLOOM_SPILL_FAILED
 */
export async function readSentOutcome(
  paths: SharedPaths,
  place: Place,
  filledMemory: ((bytes: number) => Uint8Array) | undefined,
): Promise<SentOutcome> {
  // Its checksum is checked before it is believed.
  const file = paths.absolute(place.file)
  let arrays: View[] = []
  let absolute: string[] = []
  const { value } = await readDataFile(file, place, async (head) => {
    if (head.stored.length > 0 || head.holes.length > 0) throw new NotPlain('arrays are missing')
    absolute = await Promise.all(head.paths.map((each) => paths.resolve(each)))
    const at = filledPlace(head.value)
    if (at !== undefined && filledMemory === undefined) throw new NotPlain('this task fills no array')
    arrays = head.arrays.map((shape, i) => (i === at && filledMemory ? filledMemory(shape.bytes) : newArray(shape)))
    return arrays.map(bytesOf)
  })
  const meanings = { paths: absolute, arrays, stored: [], holes: [], onlyMarkedPaths: false }
  const sent = v.safeParse(sentOutcome, internStrings(fillHead(value, meanings)))
  if (!sent.success)
    throw new CorruptSpillError(file, 0, `this is not the outcome of a task: ${v.summarize(sent.issues)}`)
  return sent.output
}

function filledPlace(value: unknown): number | undefined {
  return typeof value === 'object' && value !== null && 'filled' in value ? arrayPlaceOf(value.filled) : undefined
}

function newArray(shape: ArrayShape): View {
  return viewOver(shape, shape.isShared ? new SharedArrayBuffer(shape.bytes) : new ArrayBuffer(shape.bytes), 0)
}
