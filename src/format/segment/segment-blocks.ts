/**
 * Reads parts of a segment's data during a search: synchronous. Each checksum block is read whole and checked the first
 * time; after that only the wanted bytes are read.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { readAtSync } from '../../../spill/files/read-at.js'
import { CorruptIndexError } from '../../errors.js'
import { crc32 } from '../../../spill/files/crc32.js'
import { readFailure } from '../bytes/file-errors.js'
import { checkSize } from '../generation/check-file-sizes.js'
import type { Manifest } from '../generation/manifest.js'
import { checkHeaderShape, checkSegmentHeader } from './read-segment-header.js'
import type { SegmentFile } from './segment-file.js'
import { decodeBlockCrcs } from './segment-checksums.js'
import {
  decodeSegmentHeader,
  segmentFooterBytes,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.js'

export class SegmentBlocks {
  readonly path: string
  readonly header: SegmentHeader
  readonly #file: SegmentFile
  #fd: number | undefined
  #blockCrcs: Uint32Array | undefined
  /** By block: 1 once it is checked. */
  readonly #checked: Uint8Array

  private constructor(path: string, file: SegmentFile, fd: number, header: SegmentHeader) {
    this.path = path
    this.#file = file
    this.#fd = fd
    this.header = header
    this.#checked = new Uint8Array(Math.ceil(header.dataBytes / SEGMENT_BLOCK_BYTES))
  }

  /** Reads and checks the header, and keeps the file open until `close`. @throws CorruptIndexError, PathError */
  static open(path: string, file: SegmentFile, manifest: Manifest): SegmentBlocks {
    let fd: number | undefined
    try {
      // Without O_NONBLOCK, opening a named pipe waits for its writer. Windows has neither.
      fd = openSync(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
      checkSize(path, fstatSync(fd), file.bytes)
      const page = new Uint8Array(SEGMENT_HEADER_BYTES)
      const header = decodeSegmentHeader(page.subarray(0, readAtSync(fd, page, 0)), path)
      checkSegmentHeader(header, file, path)
      checkHeaderShape(header, manifest, path)
      return new SegmentBlocks(path, file, fd, header)
    } catch (error) {
      if (fd !== undefined) closeSync(fd)
      throw readFailure(path, error)
    }
  }

  /** Fills `into` from data byte `dataOffset`. @throws CorruptIndexError when a block is damaged */
  read(dataOffset: number, into: Uint8Array): void {
    if (this.#fd === undefined) throw new Error(`${this.path} is closed`)
    if (into.length === 0) return
    try {
      const end = dataOffset + into.length
      const first = Math.floor(dataOffset / SEGMENT_BLOCK_BYTES)
      const last = Math.ceil(end / SEGMENT_BLOCK_BYTES)
      if (this.#allChecked(first, last)) {
        this.#readData(this.#fd, dataOffset, into)
        return
      }
      const blocksAt = first * SEGMENT_BLOCK_BYTES
      const blocksEnd = Math.min(last * SEGMENT_BLOCK_BYTES, this.header.dataBytes)
      const aligned = blocksAt === dataOffset && blocksEnd === end
      const blocks = aligned ? into : staging(blocksEnd - blocksAt)
      this.#readData(this.#fd, blocksAt, blocks)
      this.#check(this.#fd, first, blocks)
      if (!aligned) into.set(blocks.subarray(dataOffset - blocksAt, end - blocksAt))
    } catch (error) {
      throw readFailure(this.path, error)
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #allChecked(first: number, end: number): boolean {
    for (let block = first; block < end; block++) if (this.#checked[block] === 0) return false
    return true
  }

  #readData(fd: number, dataOffset: number, into: Uint8Array): void {
    const position = SEGMENT_HEADER_BYTES + dataOffset
    const length = readAtSync(fd, into, position)
    if (length === into.length) return
    throw new CorruptIndexError(this.path, 'the file was truncated here while it was in use', {
      offset: position + length,
    })
  }

  #check(fd: number, first: number, blocks: Uint8Array): void {
    this.#blockCrcs ??= this.#readCrcs(fd)
    for (let at = 0, block = first; at < blocks.length; at += SEGMENT_BLOCK_BYTES, block++) {
      const one = blocks.length <= SEGMENT_BLOCK_BYTES
      const computed = crc32(one ? blocks : blocks.subarray(at, Math.min(at + SEGMENT_BLOCK_BYTES, blocks.length)))
      if (computed !== this.#blockCrcs[block]) {
        const reason = `the block's CRC is ${computed.toString(16)}, stored ${this.#blockCrcs[block].toString(16)}`
        const offset = SEGMENT_HEADER_BYTES + block * SEGMENT_BLOCK_BYTES
        throw new CorruptIndexError(this.path, reason, { offset })
      }
      this.#checked[block] = 1
    }
  }

  #readCrcs(fd: number): Uint32Array {
    const { dataBytes } = this.header
    const footer = new Uint8Array(segmentFooterBytes(dataBytes))
    const length = readAtSync(fd, footer, SEGMENT_HEADER_BYTES + dataBytes)
    return decodeBlockCrcs(footer.subarray(0, length), this.header, this.#file, this.path)
  }
}

/** Blocks around a small read. One buffer for the thread: reads are synchronous, and new ones would be garbage. */
let staged = new Uint8Array(0)
/** Of most reads. */
const stagedBlock = new Uint8Array(SEGMENT_BLOCK_BYTES)

function staging(bytes: number): Uint8Array {
  if (bytes === SEGMENT_BLOCK_BYTES) return stagedBlock
  if (bytes > MAX_STAGED_BYTES) return new Uint8Array(bytes)
  if (staged.length < bytes) staged = new Uint8Array(MAX_STAGED_BYTES)
  return staged.subarray(0, bytes)
}

const MAX_STAGED_BYTES = 16 * SEGMENT_BLOCK_BYTES
