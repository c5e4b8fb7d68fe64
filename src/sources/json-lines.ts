/** JSON lines: one `{"id": …, "vector": [numbers]}` a line; `embedding` is another name of `vector`, `id` may be absent. */
import { InvalidFileError } from '../errors.js'
import type { Id, VectorBatch } from '../types.js'
import { lineBlocks } from './text-lines.js'
import { BATCH_BYTES, MAX_DIMENSIONS, type ReadPlan } from './vector-file.js'

/** A vector of 65,536 numbers of 20 digits is 1.4 MB; the rest is room for a record's other fields. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024

/** From here on a line is looked through before it is parsed. */
const LONG_LINE_CHARACTERS = 1 << 20
/** What JSON.parse makes of 64 MiB of brackets is 3 GB; a record of one vector and its fields needs little of either. */
const MAX_NESTING = 1000
const MAX_VALUES = 1_000_000

/** Nothing is known before the lines are read. */
export function planJsonLines(): ReadPlan {
  return {
    count: undefined,
    dimensions: undefined,
    async *batches(bytes, startAt) {
      let skip = startAt
      const rows = new RowGatherer()
      try {
        for await (const { texts, offsets, firstNumber } of lineBlocks(bytes, MAX_LINE_BYTES)) {
          for (let i = 0; i < texts.length; i++) {
            const line: Line = { path: bytes.path, number: firstNumber + i, offset: offsets[i] }
            const record = parseRecord(texts[i], line)
            if (record === undefined || skip-- > 0) continue
            if (!rows.fits(record)) yield rows.take()
            rows.add(record)
          }
        }
      } catch (error) {
        // The rows before the bad one are good; whoever resumes or counts must have seen them.
        if (rows.count > 0) yield rows.take()
        throw error
      }
      if (rows.count > 0) yield rows.take()
    },
  }
}

interface JsonRecord {
  readonly id: Id | undefined
  readonly vector: readonly number[]
}

interface Line {
  readonly path: string
  readonly number: number
  readonly offset: number
}

/** Undefined for a blank line. @throws InvalidFileError with the line number */
function parseRecord(text: string, line: Line): JsonRecord | undefined {
  const refuse = (reason: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(line.path, `line ${line.number} ${reason}`, { offset: line.offset, cause })
  if (text.trim() === '') return undefined
  const excess = text.length > LONG_LINE_CHARACTERS ? structureExcess(text) : undefined
  if (excess !== undefined) throw refuse(excess)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw refuse(`is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(`is ${kindOf(value)}, expected an object such as {"id": "a", "vector": [1, 2]}`)
  }
  const { id, vector, embedding } = value as { id?: unknown; vector?: unknown; embedding?: unknown }
  if (vector !== undefined && embedding !== undefined) throw refuse('has both "vector" and "embedding", expected one')
  const [name, given] = embedding === undefined ? ['vector', vector] : ['embedding', embedding]
  const reason = vectorProblem(name, given) ?? idProblem(id)
  if (reason !== undefined) throw refuse(reason)
  return { id: id as Id | undefined, vector: given as number[] }
}

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c]
/** '[' and ']', and with bit 5 set '{' and '}'. */
const [OPENING, CLOSING] = [0x5b, 0x5d]

/** Whether a text, be it JSON or not, nests too deep or has too many values; undefined when it may be parsed. */
function structureExcess(text: string): string | undefined {
  let depth = 0
  let values = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === QUOTE) {
      for (i++; i < text.length && text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++
    } else if (unit === COMMA || unit === COLON) {
      if (++values > MAX_VALUES) return `has more than ${MAX_VALUES} values`
    } else if ((unit & ~0x20) === OPENING) {
      if (++depth > MAX_NESTING) return `is nested deeper than ${MAX_NESTING}`
    } else if ((unit & ~0x20) === CLOSING) {
      depth--
    }
  }
  return undefined
}

function vectorProblem(name: string, vector: unknown): string | undefined {
  if (vector === undefined) return 'has no "vector"'
  if (!Array.isArray(vector)) return `has ${kindOf(vector)} as "${name}", expected an array of numbers`
  if (vector.length === 0) return `has an empty "${name}"`
  if (vector.length > MAX_DIMENSIONS) {
    return `has ${vector.length} numbers in "${name}", expected at most ${MAX_DIMENSIONS}`
  }
  const values: readonly unknown[] = vector
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== 'number') return `has ${kindOf(values[i])} at ${name}[${i}], expected a number`
  }
  return undefined
}

function idProblem(id: unknown): string | undefined {
  if (id === undefined || typeof id === 'string' || Number.isSafeInteger(id)) return undefined
  if (typeof id !== 'number') return `has ${kindOf(id)} as "id", expected a string or an integer`
  const exact = Number.isInteger(id) ? 'an integer too large to be exact; write it as a string' : 'not an integer'
  return `has the id ${id}, ${exact}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const BATCH_VALUES = BATCH_BYTES / Float32Array.BYTES_PER_ELEMENT

/**
 * Gathers records into batches of one length, all with ids or all without: a record that differs begins a new batch,
 * because only the build knows what was expected and which ordinal it is.
 */
class RowGatherer {
  readonly #values = new Float32Array(BATCH_VALUES)
  #dimensions = 0
  #ids: Id[] | undefined
  count = 0

  fits({ id, vector }: JsonRecord): boolean {
    if (this.count === 0) return true
    const alike = vector.length === this.#dimensions && (id === undefined) === (this.#ids === undefined)
    return alike && (this.count + 1) * this.#dimensions <= BATCH_VALUES
  }

  add({ id, vector }: JsonRecord): void {
    if (this.count === 0) {
      this.#dimensions = vector.length
      this.#ids = id === undefined ? undefined : []
    }
    this.#values.set(vector, this.count * this.#dimensions)
    if (id !== undefined) this.#ids?.push(id)
    this.count++
  }

  take(): VectorBatch {
    const vectors = this.#values.subarray(0, this.count * this.#dimensions)
    const batch = { vectors, dimensions: this.#dimensions }
    const ids = this.#ids
    this.count = 0
    this.#ids = undefined
    return ids === undefined ? batch : { ids, ...batch }
  }
}
