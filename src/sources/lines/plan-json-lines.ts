/**
 * JSON: one `{"id": …, "vector": [numbers]}` a line, or such objects or arrays of numbers in one array; `embedding` is
 * another name for `vector`, and `id` may be absent. Or lines of OpenAI's batch output. The file may be compressed with
 * gzip or zstd.
 */
import type { ByteReader } from '../bytes/byte-reader.js'
import { plainText, withHead } from '../bytes/plain-text.js'
import { jsonFields, type JsonField } from '../fields/json-values.js'
import { typedSchema, wantedFields, type FieldsToRead } from '../fields/wanted-fields.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import { arrayElements } from './array-elements.js'
import { lineBlocks, type LineBlock } from './line-blocks.js'
import { batchRecords, isBatchLine } from './openai-batch.js'
import { FirstRecords } from './json-field-types.js'
import { messageOf } from '../../runtime/realms.js'
import { planTexts, refuseText, type TextPlace } from './plan-texts.js'
import { kindOf, recordOf } from './record-fields.js'
import type { LineRecord } from './row-gatherer.js'

/** A vector of 65,536 numbers of 20 digits is 1.4 MB; the rest is room for a record's other fields. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024

/** Longer lines are scanned before they are parsed. */
const LONG_LINE_CHARACTERS = 1 << 20
/** JSON.parse turns 64 MiB of brackets into 3 GB; a record with one vector and its fields needs few of them. */
const MAX_NESTING = 1000
const MAX_VALUES = 1_000_000
const HEAD_BYTES = 256

/**
 * Count and dimensions are unknown until the lines are read. `bytes`: a file, whose first records tell the types of
 * fields that are given by name alone.
 * @throws InvalidOptionError for such a field of a pipe, which can be read only once
 * @throws InvalidFileError when no record has a field
 */
export async function planJsonLines(options: ReadOptions = {}, bytes?: ByteReader): Promise<ReadPlan> {
  const fields = options.fields && (await fieldsOf(options.fields, bytes))
  const parser = () => (text: string, place: TextPlace) => parseRecords(text, place, options, fields)
  return planTexts({ blocks: jsonTexts, parser, ...(fields && { fields }) }, options)
}

async function fieldsOf(given: FieldsToRead, bytes: ByteReader | undefined): Promise<readonly JsonField[]> {
  if (bytes === undefined) {
    const schema = typedSchema(given, 'a pipe cannot be read before the build')
    return Object.entries(schema).map(([name, type]) => ({ name, type }))
  }
  const first = new FirstRecords(bytes.path, wantedFields(given))
  const text = await plainText(bytes)
  try {
    for await (const { texts } of jsonTexts(text)) {
      for (const one of texts) {
        if (first.isEnough) return first.fields()
        const record = recordOfText(one)
        // The pass that reads the vectors says what is wrong with a line.
        if (record === undefined) return first.fields()
        if (record !== null) first.add(record, one.length)
      }
    }
    return first.fields()
  } finally {
    await text.close()
  }
}

/** The object of a line; null for a blank line, undefined for what is no object. */
function recordOfText(text: string): object | null | undefined {
  if (text.trim() === '') return null
  if (text.length > LONG_LINE_CHARACTERS && structureExcess(text) !== undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Elements where the text is an array of arrays or objects; an array of numbers in a line is one vector. */
async function* jsonTexts(text: ByteReader): AsyncGenerator<LineBlock, void, void> {
  const buffer = new Uint8Array(HEAD_BYTES)
  let filled = 0
  // As few reads as tell: a pipe may give more only after its first lines are taken.
  for (;;) {
    const got = await text.read(buffer.subarray(filled), filled)
    filled += got
    const begun = Buffer.from(buffer.subarray(0, filled)).toString('utf8').replace('\ufeff', '').trimStart()
    if (got === 0 || filled === buffer.length || (begun !== '' && !/^\[\s*$/.test(begun))) break
  }
  const head = buffer.subarray(0, filled)
  const whole = text.byteLength === undefined ? withHead(text, head) : text
  const isArray = /^\ufeff?\s*\[\s*[[{]/.test(Buffer.from(head).toString('utf8'))
  yield* isArray ? arrayElements(whole, MAX_LINE_BYTES) : lineBlocks(whole, MAX_LINE_BYTES)
}

const NO_RECORDS: readonly LineRecord[] = []

/** No record for a blank line, several for a request with several inputs. @throws InvalidFileError with the place */
function parseRecords(
  text: string,
  place: TextPlace,
  options: ReadOptions,
  fields: readonly JsonField[] | undefined,
): readonly LineRecord[] {
  if (text.trim() === '') return NO_RECORDS
  const excess = text.length > LONG_LINE_CHARACTERS ? structureExcess(text) : undefined
  if (excess !== undefined) throw refuseText(place, excess)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw refuseText(place, `is not JSON: ${messageOf(cause)}`, cause)
  }
  if (typeof value !== 'object' || value === null) {
    throw refuseText(place, `is ${kindOf(value)}, expected an object such as {"id": "a", "vector": [1, 2]}`)
  }
  const records = recordsOf(value, text, place, options)
  if (fields === undefined) return records
  if (Array.isArray(value)) throw refuseText(place, 'is an array, which has no fields with names')
  const values = jsonFields(value, fields, text)
  if (typeof values === 'string') throw refuseText(place, values)
  return records.map((record) => ({ ...record, fields: values }))
}

function recordsOf(value: object, text: string, place: TextPlace, options: ReadOptions): readonly LineRecord[] {
  const { vectorColumn, idColumn } = options
  const isNamed = vectorColumn !== undefined || idColumn !== undefined
  if (!isNamed && !('vector' in value) && !('embedding' in value) && isBatchLine(value)) {
    const records = batchRecords(value)
    if (typeof records === 'string') throw refuseText(place, records)
    return records.map(asFailedRequest)
  }
  const record = recordOf(value, options, text)
  if (typeof record === 'string') throw refuseText(place, record)
  return [record]
}

function asFailedRequest(record: LineRecord): LineRecord {
  if (record.failure === undefined) return record
  return { ...record, refusal: `: the request ${JSON.stringify(record.id)} failed: ${record.failure}; send it again` }
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
