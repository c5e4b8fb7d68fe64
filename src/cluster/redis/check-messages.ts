/**
 * Whoever can write to Redis can write anything there: what is read is checked before it is used. Names of tasks and
 * stages, versions and paths are checked where they are used.
 */
import * as v from 'valibot'
import type { BuildNotice, HostNotice, Place, TaskDone, TaskJob } from '../messages.js'
import { internStrings } from '../../runtime/interned.js'

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const amount = v.pipe(v.number(), v.finite(), v.minValue(0))

const placeSchema = v.object({
  file: text,
  offset: count,
  bytes: count,
  crc: v.pipe(count, v.maxValue(0xffff_ffff)),
})

const jobSchema = v.object({ version: text, id: text, name: text, label: text, task: placeSchema })

const doneSchema = v.object({ id: text, host: text, outcome: placeSchema })

const buildSchema = v.object({
  queue: text,
  version: text,
  marker: v.object({ file: text, text }),
  results: text,
  stage: text,
  hostBytes: amount,
  taskBytes: amount,
  lockSeconds: v.pipe(amount, v.minValue(1)),
  at: amount,
})

const hostSchema = v.object({
  host: text,
  version: text,
  state: v.picklist(['working', 'refused', 'ending']),
  reason: v.pipe(v.string(), v.maxLength(4096)),
  threads: count,
  slots: count,
  running: count,
  done: count,
  busySeconds: amount,
  rssBytes: amount,
  memoryBytes: amount,
  at: amount,
})

export const checkPlace = (data: unknown): Place | undefined => checked(placeSchema, data)
export const checkJob = (data: unknown): TaskJob | undefined => checked(jobSchema, data) as TaskJob | undefined
export const checkDone = (data: unknown): TaskDone | undefined => checked(doneSchema, data)
export const checkBuild = (data: unknown): BuildNotice | undefined =>
  checked(buildSchema, data) as BuildNotice | undefined
export const checkHost = (data: unknown): HostNotice | undefined => checked(hostSchema, data)

function checked<Schema extends v.GenericSchema>(schema: Schema, data: unknown): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(schema, data, { abortEarly: true })
  return result.success ? internStrings(result.output) : undefined
}
