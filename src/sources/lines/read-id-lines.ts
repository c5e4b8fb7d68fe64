/** Reads a file with one id a line, and attaches the ids to the rows of a vector file. */
import { InvalidFileError } from '../../errors.js'
import type { FieldSchema } from '../../api/fields.js'
import type { Id, VectorBatch } from '../../api/vectors.js'
import { IdQueue } from '../id-queue.js'
import { fileFingerprint } from '../file-fingerprint.js'
import { fileFacts, openFileBytes, type ByteReader } from '../bytes/byte-reader.js'
import { integerDigits } from './exact-integer.js'
import { plainText } from '../bytes/plain-text.js'
import { lineBlocks } from './line-blocks.js'
import type { VectorFile, VectorFileFormat } from '../vector-file.js'

type IdLines = AsyncGenerator<Id[], void, void>

const MAX_ID_BYTES = 1 << 20

/**
 * Reads ids in order, in arrays of the ids in 1 MiB of text. Ids from a text file are always strings, also when every
 * line is an integer: '007' must stay '007', and one line with a letter must not change the type of the other ids. The
 * text is UTF-8, a line ends with LF or CRLF, blanks inside or around an id belong to it, and the last line may be
 * empty. A file named .jsonl or .ndjson has a JSON string or integer on each line, as an export writes it, and ids keep
 * their type; an integer beyond 2^53 − 1 is text, with all its digits. The file may be compressed with gzip or zstd. `open` has the file while it is read: closing it ends a
 * wait for a pipe.
 * @throws InvalidFileError with the line number for an empty line before the last, and text that is not UTF-8 or such
 * JSON
 * @throws PathError
 */
export async function* readIdLines(path: string, open: Set<ByteReader> = new Set()): IdLines {
  const isJson = /\.(jsonl|ndjson)(\.(gz|zst))?$/i.test(path)
  const bytes = await openFileBytes(path)
  open.add(bytes)
  let text: ByteReader | undefined
  try {
    text = await plainText(bytes)
    let empty: { number: number; offset: number } | undefined
    for await (const { texts, offsets, firstNumber } of lineBlocks(text, MAX_ID_BYTES)) {
      const ids: Id[] = []
      for (let i = 0; i < texts.length; i++) {
        if (empty !== undefined) {
          throw new InvalidFileError(path, `line ${empty.number} is empty, expected an id on every line`, empty)
        }
        const id = texts[i].endsWith('\r') ? texts[i].slice(0, -1) : texts[i]
        // An empty line is an error only when another line follows.
        if (id === '') empty = { number: firstNumber + i, offset: offsets[i] }
        else ids.push(isJson ? jsonId(id, path, { number: firstNumber + i, offset: offsets[i] }) : id)
      }
      if (ids.length > 0) yield ids
    }
  } finally {
    await text?.close()
    // The caller that gave the set may have closed it already: a handle is closed once.
    if (open.delete(bytes)) await bytes.close()
  }
}

function jsonId(text: string, path: string, line: { number: number; offset: number }): Id {
  const refused = (cause?: unknown): InvalidFileError =>
    new InvalidFileError(path, `line ${line.number} is not an id as JSON: expected a string or an integer`, {
      offset: line.offset,
      cause,
    })
  let id: unknown
  try {
    id = JSON.parse(text)
  } catch (cause) {
    throw refused(cause)
  }
  if (typeof id === 'string' || Number.isSafeInteger(id)) return id as Id
  const digits = typeof id === 'number' ? integerDigits(text) : undefined
  if (digits !== undefined) return digits
  throw refused()
}

/**
 * `file` with the ids of an id file. Both counts are compared now when they can be known before a row is read,
 * otherwise when the shorter file ends.
 * @throws InvalidFileError with both counts when they differ, or when the records already have ids
 * @throws PathError when the id file cannot be read
 */
export async function attachIds(file: VectorFile, idsPath: string): Promise<VectorFile> {
  const { byteLength } = await fileFacts(idsPath)
  // A build of hours must not fail at its end because one id is missing. A pipe gives its lines only once.
  if (file.count !== undefined && byteLength !== undefined) {
    const idCount = await countIds(readIdLines(idsPath))
    if (idCount !== file.count) throw countMismatch(idsPath, idCount, file.path, file.count)
  }
  return new FileWithIds(file, idsPath)
}

class FileWithIds implements VectorFile {
  readonly path: string
  readonly format: VectorFileFormat
  readonly count: number | undefined
  readonly dimensions: number | undefined
  readonly bytes: number | undefined
  readonly fields: FieldSchema | undefined
  readonly #file: VectorFile
  readonly #idsPath: string
  readonly #open = new Set<ByteReader>()

  constructor(file: VectorFile, idsPath: string) {
    this.path = file.path
    this.format = file.format
    this.count = file.count
    this.dimensions = file.dimensions
    this.bytes = file.bytes
    this.fields = file.fields
    this.#file = file
    this.#idsPath = idsPath
  }

  async *batches(startAt = 0): AsyncGenerator<VectorBatch, void, void> {
    const lines = readIdLines(this.#idsPath, this.#open)
    try {
      const ids = new IdQueue(lines)
      await ids.skip(startAt)
      yield* this.#joined(this.#file.batches(startAt), ids, startAt)
    } finally {
      await lines.return()
    }
  }

  async *#joined(
    batches: AsyncGenerator<VectorBatch, void, void>,
    ids: IdQueue,
    startAt: number,
  ): AsyncGenerator<VectorBatch, void, void> {
    let vectorCount = startAt
    for await (const batch of batches) {
      const { ids: own, vectors, dimensions } = batch
      if (own !== undefined) throw this.#idsInBothPlaces(vectorCount)
      const rows = vectors.length / dimensions
      const batchIds = await ids.take(rows)
      vectorCount += rows
      if (batchIds.length < rows) {
        for await (const rest of batches) vectorCount += rest.vectors.length / rest.dimensions
        throw countMismatch(this.#idsPath, ids.taken, this.path, vectorCount)
      }
      yield { ...batch, ids: batchIds }
    }
    const idCount = ids.taken + (await ids.countRest())
    if (idCount !== vectorCount) throw countMismatch(this.#idsPath, idCount, this.path, vectorCount)
  }

  #idsInBothPlaces(ordinal: number): InvalidFileError {
    const reason = `the vectors of ${this.path} already have ids (vector ${ordinal} has one); give ids in one place`
    return new InvalidFileError(this.#idsPath, reason)
  }

  async fingerprint(): Promise<string | undefined> {
    const { byteLength } = await fileFacts(this.#idsPath)
    const rows = await this.#file.fingerprint()
    if (rows === undefined || byteLength === undefined) return undefined
    return `${rows} ids ${await fileFingerprint(this.#idsPath)}`
  }

  async close(): Promise<void> {
    await this.#file.close()
    const open = [...this.#open]
    this.#open.clear()
    await Promise.all(open.map((bytes) => bytes.close()))
  }
}

async function countIds(lines: AsyncIterable<Id[]>): Promise<number> {
  let count = 0
  for await (const ids of lines) count += ids.length
  return count
}

function countMismatch(idsPath: string, idCount: number, path: string, vectorCount: number): InvalidFileError {
  const from = path === '-' ? 'standard input' : path
  return new InvalidFileError(idsPath, `it has ${idCount} ids, expected ${vectorCount}: one for each vector of ${from}`)
}
