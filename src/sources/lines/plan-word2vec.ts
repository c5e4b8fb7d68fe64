/**
 * word2vec's binary file: a line with the number of words and of dimensions, then for each word its text, a blank, and
 * its float32. The words are the ids. A line end may follow each, as the first program wrote it.
 */
import { InvalidFileError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import { knownByteLength, readFully, type ByteReader } from '../bytes/byte-reader.js'
import { rowsPerBatch, type ReadPlan } from '../vector-file.js'
import { wordsHeader } from './plan-word-vectors.js'

const MAX_WORD_BYTES = 4096
const READ_BYTES = 1 << 20
const [BLANK, LINE_FEED] = [0x20, 0x0a]

/** @throws InvalidFileError without the first line, or when it is too short for its words; PathError for a pipe */
export async function planWord2vec(bytes: ByteReader): Promise<ReadPlan> {
  const byteLength = knownByteLength(bytes, 'word2vec')
  const head = new Uint8Array(64)
  const header = wordsHeader(head.subarray(0, await readFully(bytes, head, 0)))
  if (header === undefined) {
    throw new InvalidFileError(bytes.path, 'it does not begin with a line of words and dimensions', { offset: 0 })
  }
  const { count, dimensions } = header
  const least = header.bytes + count * (4 * dimensions + 1)
  if (byteLength < least) {
    const reason = `it is truncated: ${count} words of d = ${dimensions} need ${least} bytes or more, got ${byteLength}`
    throw new InvalidFileError(bytes.path, reason, { offset: byteLength })
  }
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      const words = new WordReader(pass, header.bytes, dimensions)
      const atOnce = rowsPerBatch(dimensions)
      const values = new Float32Array(atOnce * dimensions)
      let ids: Id[] = []
      for (let row = 0; row < count; row++) {
        if (words.isShort) await words.fill()
        let word: string
        try {
          word = words.next(row, row < startAt ? undefined : values.subarray(ids.length * dimensions))
        } catch (error) {
          if (ids.length > 0) yield { ids, vectors: values.subarray(0, ids.length * dimensions), dimensions }
          throw error
        }
        if (row >= startAt) ids.push(word)
        if (ids.length < atOnce && row < count - 1) continue
        if (ids.length > 0) yield { ids, vectors: values.subarray(0, ids.length * dimensions), dimensions }
        ids = []
      }
      await words.refuseMore(count)
    },
  }
}

class WordReader {
  readonly #bytes: ByteReader
  readonly #rowBytes: number
  readonly #buffer: Uint8Array
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #from = 0
  #to = 0
  /** Offset of the buffer's end in the file. */
  #position: number
  #atEnd = false

  constructor(bytes: ByteReader, position: number, dimensions: number) {
    this.#bytes = bytes
    this.#position = position
    this.#rowBytes = 4 * dimensions
    this.#buffer = new Uint8Array(READ_BYTES + MAX_WORD_BYTES + this.#rowBytes)
  }

  /** Whether a whole word may be missing in the buffer. */
  get isShort(): boolean {
    return !this.#atEnd && this.#to - this.#from < MAX_WORD_BYTES + this.#rowBytes + 2
  }

  async fill(): Promise<void> {
    this.#buffer.copyWithin(0, this.#from, this.#to)
    this.#to -= this.#from
    this.#from = 0
    const got = await readFully(this.#bytes, this.#buffer.subarray(this.#to), this.#position)
    this.#atEnd = got < this.#buffer.length - this.#to
    this.#to += got
    this.#position += got
  }

  /** The next word; its vector goes to the front of `into`. */
  next(row: number, into: Float32Array | undefined): string {
    if (this.#buffer[this.#from] === LINE_FEED && this.#from < this.#to) this.#from++
    const blank = this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + MAX_WORD_BYTES)).indexOf(BLANK)
    const valuesAt = this.#from + blank + 1
    if (blank < 0 || valuesAt + this.#rowBytes > this.#to) {
      throw this.#refuse(`it is truncated or damaged in word ${row}: it has no blank or too few numbers`)
    }
    let word: string
    try {
      word = this.#decoder.decode(this.#buffer.subarray(this.#from, this.#from + blank))
    } catch (cause) {
      throw this.#refuse(`word ${row} is not UTF-8 text`, cause)
    }
    if (into !== undefined) {
      const values = this.#buffer.slice(valuesAt, valuesAt + this.#rowBytes)
      into.set(new Float32Array(values.buffer))
    }
    this.#from = valuesAt + this.#rowBytes
    return word
  }

  async refuseMore(count: number): Promise<void> {
    if (this.#from === this.#to) await this.fill()
    const rest = this.#buffer.subarray(this.#from, this.#to)
    if (rest.length === 0 || (rest.length === 1 && rest[0] === LINE_FEED)) return
    throw this.#refuse(`it is longer than its first line says: something follows its ${count} words`)
  }

  #refuse(reason: string, cause?: unknown): InvalidFileError {
    return new InvalidFileError(this.#bytes.path, reason, { offset: this.#position - (this.#to - this.#from), cause })
  }
}
