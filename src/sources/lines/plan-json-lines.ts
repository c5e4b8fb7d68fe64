/**
 * JSON lines: one `{"id": …, "vector": [numbers]}` a line; `embedding` is another name for `vector`, and `id` may be
 * absent. Or lines of OpenAI's batch output. The file may be compressed with gzip or zstd.
 */
import { InvalidFileError } from '../../errors.js'
import { type Id, type VectorBatch, MAX_DIMENSIONS } from '../../api/vectors.js'
import { batchRecords, isBatchLine } from './openai-batch.js'
import { fieldDigits } from './exact-integer.js'
import { textVector } from '../text-vector.js'
import { plainText } from '../bytes/plain-text.js'
import { lineBlocks } from './line-blocks.js'
import { BATCH_BYTES, type ReadOptions, type ReadPlan } from '../vector-file.js'
import { messageOf } from '../../realms.js'

/** A vector of 65,536 numbers of 20 digits is 1.4 MB; the rest is room for a record's other fields. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024

/** Longer lines are scanned before they are parsed. */
const LONG_LINE_CHARACTERS = 1 << 20
/** JSON.parse turns 64 MiB of brackets into 3 GB; a record with one vector and its fields needs few of them. */
const MAX_NESTING = 1000
const MAX_VALUES = 1_000_000

/** Count and dimensions are unknown until the lines are read. */
export function planJsonLines({ invalid = 'error' }: ReadOptions = {}): ReadPlan {
  return {
    count: undefined,
    dimensions: undefined,
    async *batches(bytes, startAt) {
      let skip = startAt
      const rows = new RowGatherer(bytes.path)
      const text = await plainText(bytes)
      try {
        for await (const { texts, offsets, firstNumber } of lineBlocks(text, MAX_LINE_BYTES)) {
          for (let i = 0; i < texts.length; i++) {
            const line: Line = { path: bytes.path, number: firstNumber + i, offset: offsets[i] }
            for (const record of parseRecords(texts[i], line)) {
              if (record.failure !== undefined && invalid === 'error') throw failedRequest(record, line)
              if (skip-- > 0) rows.leaveOut(record)
              else yield* rows.add(record)
            }
          }
        }
        yield* rows.end()
      } catch (error) {
        // The rows before the bad one are good, and a caller that resumes or counts needs them.
        if (rows.count > 0) yield rows.take()
        throw error
      } finally {
        await text.close()
      }
    },
  }
}

interface JsonRecord {
  readonly id: Id | undefined
  /** Undefined for a failed request of OpenAI's batch output. */
  readonly vector: ArrayLike<number> | undefined
  readonly failure?: string
}

interface Line {
  readonly path: string
  readonly number: number
  readonly offset: number
}

const NO_RECORDS: readonly JsonRecord[] = []

/**
 * No record for a blank line, several for a request with several inputs. @throws InvalidFileError with the line number
 */
function parseRecords(text: string, line: Line): readonly JsonRecord[] {
  const refuse = (reason: string, cause?: unknown): InvalidFileError =>
    new InvalidFileError(line.path, `line ${line.number} ${reason}`, { offset: line.offset, cause })
  if (text.trim() === '') return NO_RECORDS
  const excess = text.length > LONG_LINE_CHARACTERS ? structureExcess(text) : undefined
  if (excess !== undefined) throw refuse(excess)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw refuse(`is not JSON: ${messageOf(cause)}`, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(`is ${kindOf(value)}, expected an object such as {"id": "a", "vector": [1, 2]}`)
  }
  const { id: parsed, vector, embedding } = value as { id?: unknown; vector?: unknown; embedding?: unknown }
  const id = typeof parsed === 'number' && !Number.isSafeInteger(parsed) ? (fieldDigits(text, 'id') ?? parsed) : parsed
  if (vector === undefined && embedding === undefined && isBatchLine(value)) {
    const records = batchRecords(value)
    if (typeof records === 'string') throw refuse(records)
    return records
  }
  if (vector !== undefined && embedding !== undefined) throw refuse('has both "vector" and "embedding", expected one')
  const [name, written] = embedding === undefined ? ['vector', vector] : ['embedding', embedding]
  // pgvector writes its vectors as text, in JSON too.
  const given = typeof written === 'string' ? (textVector(written) ?? written) : written
  const reason = vectorProblem(name, given) ?? idProblem(id)
  if (reason !== undefined) throw refuse(reason)
  return [{ id: id as Id | undefined, vector: given as number[] }]
}

function failedRequest({ id, failure }: JsonRecord, line: Line): InvalidFileError {
  return new InvalidFileError(
    line.path,
    `line ${line.number}: the request ${JSON.stringify(id)} failed: ${failure ?? ''}; send it again, ` +
      `or pass invalid: 'skip' (--invalid skip) to leave out such requests`,
    { offset: line.offset },
  )
}

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c]
/** '[' and ']', and with bit 5 set '{' and '}'. */
const [OPENING, CLOSING] = [0x5b, 0x5d]

/** The reason when a text nests too deeply or has too many values to be parsed as JSON; undefined otherwise. */
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
  const exact = Number.isInteger(id)
    ? 'an integer too large to be exact; write all its digits, or a string'
    : 'not an integer'
  return `has the id ${id}, ${exact}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const BATCH_VALUES = BATCH_BYTES / Float32Array.BYTES_PER_ELEMENT
/** Most failed requests before the first vector, which wait for its dimensions. */
const MAX_WAITING = 100_000

/**
 * Gathers records into batches with equal dimensions, all with ids or all without. A record that differs begins a new
 * batch, because only the build knows the expected dimensions and the ordinal. A failed request is a row of NaN with
 * the dimensions of the vector before it, or of the first one after it.
 */
class RowGatherer {
  readonly #path: string
  readonly #values = new Float32Array(BATCH_VALUES)
  /** Dimensions of the batch and of the last vector. */
  #dimensions = 0
  #ids: Id[] | undefined
  #waiting: JsonRecord[] = []
  count = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Adds a record, and yields the batches that it does not fit into: usually none. */
  *add(record: JsonRecord): Generator<VectorBatch, void, void> {
    if (record.vector === undefined && this.#dimensions === 0) {
      this.#waiting.push(record)
      if (this.#waiting.length > MAX_WAITING) throw this.#noVector()
      return
    }
    const dimensions = record.vector?.length ?? this.#dimensions
    const waiting = this.#waiting
    this.#waiting = []
    for (const failed of waiting) yield* this.#addRow(failed, dimensions)
    yield* this.#addRow(record, dimensions)
  }

  /** Skips a record; its dimensions are the dimensions of a failed request after it. */
  leaveOut({ vector }: JsonRecord): void {
    if (vector !== undefined) this.#dimensions = vector.length
  }

  *end(): Generator<VectorBatch, void, void> {
    if (this.#waiting.length > 0) throw this.#noVector()
    if (this.count > 0) yield this.take()
  }

  take(): VectorBatch {
    const vectors = this.#values.subarray(0, this.count * this.#dimensions)
    const batch = { vectors, dimensions: this.#dimensions }
    const ids = this.#ids
    this.count = 0
    this.#ids = undefined
    return ids === undefined ? batch : { ids, ...batch }
  }

  *#addRow({ id, vector }: JsonRecord, dimensions: number): Generator<VectorBatch, void, void> {
    const alike = dimensions === this.#dimensions && (id === undefined) === (this.#ids === undefined)
    if (this.count > 0 && !(alike && (this.count + 1) * dimensions <= BATCH_VALUES)) yield this.take()
    if (this.count === 0) {
      this.#dimensions = dimensions
      this.#ids = id === undefined ? undefined : []
    }
    const at = this.count * dimensions
    if (vector === undefined) this.#values.fill(NaN, at, at + dimensions)
    else this.#values.set(vector, at)
    if (id !== undefined) this.#ids?.push(id)
    this.count++
  }

  #noVector(): InvalidFileError {
    const [{ id, failure }] = this.#waiting
    const failed = `the first, ${JSON.stringify(id)}, failed: ${failure ?? ''}`
    return new InvalidFileError(this.#path, `none of its ${this.#waiting.length} requests gave a vector; ${failed}`)
  }
}
