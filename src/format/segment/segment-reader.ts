/**
 * Reads any range of a sealed segment's data straight into the caller's memory. Bytes are valid only after the checksum
 * of their block is verified.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { CorruptIndexError } from '../../errors.js'
import { crc32 } from '../../../spill/files/crc32.js'
import { readFailure } from '../bytes/file-errors.js'
import { headerOf } from './read-segment-header.js'
import type { SegmentFile } from './segment-file.js'
import { decodeBlockCrcs } from './segment-checksums.js'
import { segmentFooterBytes, SEGMENT_BLOCK_BYTES, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js'
import { readAt } from '../../../spill/files/read-at.js'

export interface SegmentReaderOptions {
  /** Called for a block with a wrong checksum, instead of throwing; its bytes are returned as they are. */
  readonly onBadBlock?: (error: CorruptIndexError) => void
}

export class SegmentReader {
  readonly path: string
  readonly header: SegmentHeader
  readonly #handle: FileHandle
  readonly #blockCrcs: Uint32Array
  readonly #onBadBlock: ((error: CorruptIndexError) => void) | undefined

  private constructor(
    path: string,
    handle: FileHandle,
    header: SegmentHeader,
    blockCrcs: Uint32Array,
    options: SegmentReaderOptions,
  ) {
    this.path = path
    this.header = header
    this.#handle = handle
    this.#blockCrcs = blockCrcs
    this.#onBadBlock = options.onBadBlock
  }

  /** Checks the header, the checksum table and the manifest's CRC; reads no data. @throws CorruptIndexError */
  static async open(path: string, file: SegmentFile, options: SegmentReaderOptions = {}): Promise<SegmentReader> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path, 'r')
      const header = await headerOf(handle, file, path)
      const blockCrcs = await readBlockCrcs(handle, header, file, path)
      return new SegmentReader(path, handle, header, blockCrcs, options)
    } catch (error) {
      await handle?.close()
      throw readFailure(path, error)
    }
  }

  /** Fills `into` from data byte `dataOffset`. Calls may overlap in time. @throws CorruptIndexError */
  async read(dataOffset: number, into: Uint8Array): Promise<void> {
    const end = dataOffset + into.length
    if (dataOffset < 0 || end > this.header.dataBytes) {
      throw new RangeError(`${this.path}: data bytes ${dataOffset} to ${end} of ${this.header.dataBytes}`)
    }
    let at = dataOffset
    while (at < end) {
      const block = Math.floor(at / SEGMENT_BLOCK_BYTES)
      const wholeEnd = this.#lastWholeEnd(end)
      const whole = at === block * SEGMENT_BLOCK_BYTES && wholeEnd > at
      const next = whole ? wholeEnd : Math.min(end, (block + 1) * SEGMENT_BLOCK_BYTES)
      const target = into.subarray(at - dataOffset, next - dataOffset)
      if (whole) await this.#readBlocks(block, target)
      else target.set((await this.#readBlock(block)).subarray(at % SEGMENT_BLOCK_BYTES).subarray(0, target.length))
      at = next
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close()
    } catch (error) {
      throw readFailure(this.path, error)
    }
  }

  /** The end of the last whole block before `end`. */
  #lastWholeEnd(end: number): number {
    return end === this.header.dataBytes ? end : end - (end % SEGMENT_BLOCK_BYTES)
  }

  async #readBlock(block: number): Promise<Uint8Array> {
    const start = block * SEGMENT_BLOCK_BYTES
    const bytes = new Uint8Array(Math.min(SEGMENT_BLOCK_BYTES, this.header.dataBytes - start))
    await this.#readBlocks(block, bytes)
    return bytes
  }

  /** `into` is whole blocks from `firstBlock` on. */
  async #readBlocks(firstBlock: number, into: Uint8Array): Promise<void> {
    const position = SEGMENT_HEADER_BYTES + firstBlock * SEGMENT_BLOCK_BYTES
    try {
      const length = await readAt(this.#handle, into, position)
      if (length < into.length) {
        throw new CorruptIndexError(this.path, 'the file was truncated here while it was in use', {
          offset: position + length,
        })
      }
    } catch (error) {
      throw readFailure(this.path, error)
    }
    for (let at = 0, block = firstBlock; at < into.length; at += SEGMENT_BLOCK_BYTES, block++) {
      const computed = crc32(into.subarray(at, Math.min(at + SEGMENT_BLOCK_BYTES, into.length)))
      if (computed !== this.#blockCrcs[block]) this.#badBlock(position + at, computed, this.#blockCrcs[block])
    }
  }

  #badBlock(offset: number, computed: number, stored: number): void {
    const reason = `the block's CRC is ${computed.toString(16)}, stored ${stored.toString(16)}`
    const error = new CorruptIndexError(this.path, reason, { offset })
    if (this.#onBadBlock === undefined) throw error
    this.#onBadBlock(error)
  }
}

async function readBlockCrcs(
  handle: FileHandle,
  header: SegmentHeader,
  file: SegmentFile,
  path: string,
): Promise<Uint32Array> {
  const footer = new Uint8Array(segmentFooterBytes(header.dataBytes))
  const length = await readAt(handle, footer, SEGMENT_HEADER_BYTES + header.dataBytes)
  return decodeBlockCrcs(footer.subarray(0, length), header, file, path)
}

export interface ReadSegmentOptions {
  /** First data byte. Default 0. */
  readonly offset?: number
  /** Number of bytes. Default: to the end of the data. */
  readonly length?: number
  /** Most bytes of a chunk. Whole checksum blocks are fastest. Default 8 MiB. */
  readonly chunkBytes?: number
  /** Called when a chunk is read and verified. */
  readonly onChunk?: (dataOffset: number, view: Uint8Array) => void
}

const DEFAULT_CHUNK_BYTES = 512 * SEGMENT_BLOCK_BYTES

/**
 * Reads a segment's data front to back, chunk by chunk, into the views that `into(dataOffset, length)` returns. A view
 * must have that length and stay attached until its chunk is read. Chunks are read one at a time.
 * @throws CorruptIndexError at the first wrong checksum; that chunk's bytes must not be used
 */
export async function readSegmentData(
  path: string,
  file: SegmentFile,
  into: (dataOffset: number, length: number) => Uint8Array,
  options: ReadSegmentOptions = {},
): Promise<void> {
  const { offset = 0, chunkBytes = DEFAULT_CHUNK_BYTES, onChunk } = options
  const reader = await SegmentReader.open(path, file)
  try {
    const end = options.length === undefined ? reader.header.dataBytes : offset + options.length
    for (let at = offset; at < end;) {
      // The first chunk ends on a chunk boundary, so that the others are whole blocks.
      const length = Math.min(chunkBytes - (at % chunkBytes), end - at)
      const view = into(at, length)
      if (view.length !== length) throw new RangeError(`${path}: a view of ${view.length} bytes for ${length}`)
      await reader.read(at, view)
      onChunk?.(at, view)
      at += length
    }
  } finally {
    await reader.close()
  }
}
