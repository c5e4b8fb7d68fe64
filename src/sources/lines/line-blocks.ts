/** Splits bytes into lines of UTF-8 text, one block of lines for each piece read: no promise per line. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from '../bytes/byte-reader.js'

/** The lines that ended in one piece of input, without their line feeds. */
export interface LineBlock {
  readonly texts: string[]
  /** Byte offset of each line's first byte. */
  readonly offsets: number[]
  /** Number of the block's first line; the file's first line is 1. */
  readonly firstNumber: number
  /** Number of each text, where they do not follow each other. */
  readonly numbers?: number[]
  /** What a text is, for messages. Default: a line. */
  readonly what?: string
}

const LINE_FEED = 10
const PIECE_BYTES = 1 << 20
const BYTE_ORDER_MARK = '\ufeff'

/**
 * Splits at line feeds. A last line without a line feed counts; an empty one does not. Drops a byte order mark at the
 * start of the file. Holds one piece (1 MiB) and at most one line beyond it.
 * @throws InvalidFileError with line number and offset for a line above `maxLineBytes` or one that is not UTF-8, after
 * all lines before it are yielded
 */
export async function* lineBlocks(bytes: ByteReader, maxLineBytes: number): AsyncGenerator<LineBlock, void, void> {
  const splitter = new LineSplitter(bytes.path, maxLineBytes)
  const piece = new Uint8Array(PIECE_BYTES)
  for (let position = 0; ;) {
    const got = await bytes.read(piece, position)
    const block = got === 0 ? splitter.end() : splitter.split(piece.subarray(0, got), position)
    if (block.texts.length > 0) yield block
    if (block.failure !== undefined) throw block.failure
    if (got === 0) return
    position += got
  }
}

class LineSplitter {
  readonly #path: string
  readonly #maxLineBytes: number
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  /** Copies of the pieces of the line that is not complete. */
  #begun: Uint8Array[] = []
  #begunBytes = 0
  #lineOffset = 0
  #lineNumber = 1

  constructor(path: string, maxLineBytes: number) {
    this.#path = path
    this.#maxLineBytes = maxLineBytes
  }

  split(piece: Uint8Array, position: number): LineBlock & { failure?: InvalidFileError } {
    const block: LineBlock = { texts: [], offsets: [], firstNumber: this.#lineNumber }
    let from = 0
    for (;;) {
      const to = piece.indexOf(LINE_FEED, from)
      const failure = this.#append(piece.subarray(from, to < 0 ? piece.length : to), to < 0)
      if (failure !== undefined) return { ...block, failure }
      if (to < 0) return block
      const undecodable = this.#endLine(block)
      if (undecodable !== undefined) return { ...block, failure: undecodable }
      from = to + 1
      this.#lineOffset = position + from
    }
  }

  /** The last line, when it has no line feed. */
  end(): LineBlock & { failure?: InvalidFileError } {
    const block: LineBlock = { texts: [], offsets: [], firstNumber: this.#lineNumber }
    return this.#begunBytes === 0 ? block : { ...block, failure: this.#endLine(block) }
  }

  #append(part: Uint8Array, copy: boolean): InvalidFileError | undefined {
    if (this.#begunBytes + part.length > this.#maxLineBytes) {
      return this.#failure(`is longer than ${this.#maxLineBytes} bytes`)
    }
    if (part.length > 0) this.#begun.push(copy ? part.slice() : part)
    this.#begunBytes += part.length
    return undefined
  }

  #endLine(block: LineBlock): InvalidFileError | undefined {
    const line = this.#begun.length === 1 ? this.#begun[0] : Buffer.concat(this.#begun, this.#begunBytes)
    this.#begun = []
    this.#begunBytes = 0
    let text: string
    try {
      text = this.#decoder.decode(line)
    } catch (cause) {
      return this.#failure('is not UTF-8 text', cause)
    }
    if (this.#lineNumber === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(BYTE_ORDER_MARK.length)
    block.texts.push(text)
    block.offsets.push(this.#lineOffset)
    this.#lineNumber++
    return undefined
  }

  #failure(reason: string, cause?: unknown): InvalidFileError {
    return new InvalidFileError(this.#path, `line ${this.#lineNumber} ${reason}`, { offset: this.#lineOffset, cause })
  }
}
