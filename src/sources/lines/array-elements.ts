/** Splits a JSON array into the texts of its elements, one block for each piece read. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import type { LineBlock } from './line-blocks.js'

const PIECE_BYTES = 1 << 20
const [QUOTE, COMMA, BACKSLASH, OPENING, CLOSING] = [0x22, 0x2c, 0x5c, 0x5b, 0x5d]
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])
/** EF BB BF, before the bracket. */
const BYTE_ORDER_MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf])

/**
 * Holds one piece (1 MiB) and at most one element beyond it. The elements are not checked to be JSON.
 * @throws InvalidFileError for an element above `maxBytes`, an array without an end, or text after it, after all elements
 * before are yielded
 */
export async function* arrayElements(bytes: ByteReader, maxBytes: number): AsyncGenerator<LineBlock, void, void> {
  const splitter = new ElementSplitter(bytes.path, maxBytes)
  const piece = new Uint8Array(PIECE_BYTES)
  for (let position = 0; ;) {
    const got = await bytes.read(piece, position)
    const { failure, ...block } = got === 0 ? splitter.end() : splitter.split(piece.subarray(0, got), position)
    if (block.texts.length > 0) yield block
    if (failure !== undefined) throw failure
    if (got === 0) return
    position += got
  }
}

type State = 'before' | 'inside' | 'after'

class ElementSplitter {
  readonly #path: string
  readonly #maxBytes: number
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #state: State = 'before'
  #depth = 0
  #inText = false
  #isEscaped = false
  #begun: Uint8Array[] = []
  #begunBytes = 0
  #offset = 0
  #number = 1

  constructor(path: string, maxBytes: number) {
    this.#path = path
    this.#maxBytes = maxBytes
  }

  split(piece: Uint8Array, position: number): LineBlock & { failure?: InvalidFileError } {
    const block: LineBlock = { texts: [], offsets: [], firstNumber: this.#number, what: 'element' }
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]
      if (this.#inText) {
        this.#inString(byte)
      } else if (this.#state === 'inside' && this.#depth === 0 && (byte === COMMA || byte === CLOSING)) {
        const failure = this.#endElement(block, piece.slice(from, at), byte === CLOSING)
        if (failure !== undefined) return { ...block, failure }
        if (byte === CLOSING) this.#state = 'after'
        from = at + 1
        this.#offset = position + from
      } else if (this.#state === 'inside') {
        this.#outside(byte)
      } else if (!BLANKS.has(byte)) {
        if (this.#state === 'before' && BYTE_ORDER_MARK.has(byte)) continue
        if (this.#state === 'after')
          return { ...block, failure: this.#refuse('is followed by something else', position + at) }
        this.#state = 'inside'
        from = at + 1
        this.#offset = position + from
      }
    }
    if (this.#state !== 'inside') return block
    return { ...block, failure: this.#append(piece.slice(from)) }
  }

  end(): LineBlock & { failure?: InvalidFileError } {
    const block: LineBlock = { texts: [], offsets: [], firstNumber: this.#number }
    return this.#state === 'after'
      ? block
      : { ...block, failure: this.#refuse('has no end: it is truncated', this.#offset) }
  }

  #inString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === BACKSLASH) this.#isEscaped = true
    else if (byte === QUOTE) this.#inText = false
  }

  #outside(byte: number): void {
    if (byte === QUOTE) this.#inText = true
    // With bit 5 set the brackets are braces.
    else if ((byte & ~0x20) === OPENING) this.#depth++
    else if ((byte & ~0x20) === CLOSING) this.#depth--
  }

  #append(part: Uint8Array): InvalidFileError | undefined {
    if (this.#begunBytes + part.length > this.#maxBytes) {
      return this.#refuse(`has an element ${this.#number} longer than ${this.#maxBytes} bytes`, this.#offset)
    }
    this.#begun.push(part)
    this.#begunBytes += part.length
    return undefined
  }

  /** The last element may be blank when it is the first: the array is empty. */
  #endElement(block: LineBlock, part: Uint8Array, isLast: boolean): InvalidFileError | undefined {
    const failure = this.#append(part)
    if (failure !== undefined) return failure
    const whole = Buffer.concat(this.#begun, this.#begunBytes)
    this.#begun = []
    this.#begunBytes = 0
    let text: string
    try {
      text = this.#decoder.decode(whole)
    } catch (cause) {
      return this.#refuse(`has an element ${this.#number} that is not UTF-8 text`, this.#offset, cause)
    }
    if (text.trim() === '') {
      if (isLast && this.#number === 1) return undefined
      return this.#refuse(`has no element ${this.#number} between its commas`, this.#offset)
    }
    block.texts.push(text)
    block.offsets.push(this.#offset)
    this.#number++
    return undefined
  }

  #refuse(reason: string, offset: number, cause?: unknown): InvalidFileError {
    return new InvalidFileError(this.#path, `its JSON array ${reason}`, { offset, cause })
  }
}
