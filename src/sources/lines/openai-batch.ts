/**
 * A line of OpenAI's batch output: `{"custom_id", "response": {"status_code", "body": {"data": [{"index",
 * "embedding"}]}}, "error"}`. OpenAI's error file has the same lines. Pure: takes a parsed line, returns records or a
 * reason.
 */
import { MAX_DIMENSIONS } from '../../api/vectors.js'

/** `vector` is undefined for a failed request; `failure` is the reason. */
export interface BatchRecord {
  readonly id: string
  readonly vector: ArrayLike<number> | undefined
  readonly failure?: string
}

/** Most embeddings of one request: the API takes 2,048 inputs. */
const MAX_INPUTS = 65_536
const MESSAGE_CHARACTERS = 200

type Fields = Readonly<Record<string, unknown>>

export function isBatchLine(value: object): boolean {
  return 'custom_id' in value && ('response' in value || 'error' in value)
}

/**
 * One record for each embedding, or one for a failed request; a reason as text when the API cannot have written the
 * line.
 */
export function batchRecords(value: object): readonly BatchRecord[] | string {
  const { custom_id: id, response, error } = value as Fields
  if (typeof id !== 'string') return 'has a "custom_id" that is not a string'
  const failure = failureOf(response, error)
  if (failure !== undefined) return [{ id, vector: undefined, failure }]
  const data: unknown = fieldsOf(fieldsOf(response).body).data
  if (!Array.isArray(data))
    return 'has no array "data" in the body of its response, expected output of the embeddings endpoint'
  if (data.length === 0) return [{ id, vector: undefined, failure: 'its response has no embedding' }]
  if (data.length > MAX_INPUTS) return `has ${data.length} embeddings, expected at most ${MAX_INPUTS}`
  const records: BatchRecord[] = []
  for (const [position, entry] of data.entries()) {
    const { embedding, index = position } = fieldsOf(entry)
    if (!Number.isSafeInteger(index)) return `has an "index" at data[${position}] that is not a whole number`
    const vector = embeddingOf(embedding)
    if (typeof vector === 'string') return `has ${vector} at data[${position}].embedding`
    records.push({ id: data.length === 1 ? id : `${id}/${index as number}`, vector })
  }
  return records
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** Undefined when the request was answered. */
function failureOf(response: unknown, error: unknown): string | undefined {
  if (error !== undefined && error !== null) return messageOf(error)
  if (response === undefined || response === null) return 'it has neither a response nor an error'
  const { status_code: status, body } = fieldsOf(response)
  if (status === undefined || status === 200) return undefined
  return `status ${typeof status === 'number' ? status : 'unknown'}: ${messageOf(fieldsOf(body).error)}`
}

function messageOf(error: unknown): string {
  const { message, code } = fieldsOf(error)
  const said = [code, message].filter((text) => typeof text === 'string').join(': ')
  return (said === '' ? 'no message' : said).slice(0, MESSAGE_CHARACTERS)
}

/**
 * The embedding from numbers, or from float32 bytes with `encoding_format: 'base64'`; otherwise text that names the
 * value.
 */
function embeddingOf(embedding: unknown): ArrayLike<number> | string {
  if (typeof embedding === 'string') {
    const bytes = Buffer.from(embedding, 'base64')
    if (bytes.length === 0 || bytes.length % 4 !== 0) return 'text that is not base64 of float32'
    if (bytes.length / 4 > MAX_DIMENSIONS) return `${bytes.length / 4} numbers, expected at most ${MAX_DIMENSIONS},`
    return new Float32Array(Uint8Array.from(bytes).buffer)
  }
  if (!Array.isArray(embedding)) return 'no array of numbers'
  if (embedding.length === 0) return 'an empty array'
  if (embedding.length > MAX_DIMENSIONS) return `${embedding.length} numbers, expected at most ${MAX_DIMENSIONS},`
  if (!embedding.every((component) => typeof component === 'number')) return 'a value that is not a number'
  return embedding
}
