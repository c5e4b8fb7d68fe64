/**
 * The checksums of a segment: `SegmentChecksums` gathers the block CRCs from parts that arrive in any order; the footer
 * stores them.
 *
 * Invariant: a block is either whole (its CRC is final) or has a sorted list of pieces that do not touch.
 */
import { CorruptIndexError } from '../../errors.js'
import { crc32Combine, crc32Combiner } from '../bytes/crc32-combine.js'
import { crc32 } from '../../../spill/files/crc32.js'
import type { SegmentFile } from './segment-file.js'
import {
  encodeSegmentHeader,
  segmentBlockCount,
  segmentFooterBytes,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.js'

/** The CRC of `length` bytes that begin `start` bytes into checksum block `block`. */
export interface ChecksumPiece {
  readonly block: number
  readonly start: number
  readonly length: number
  readonly crc: number
}

/** A part's checksums. Plain data: it crosses threads. `offset` counts from the first data byte. */
export interface PartChecksums {
  readonly offset: number
  readonly length: number
  readonly pieces: readonly ChecksumPiece[]
}

/** Adds the checksums of `bytes`, which begin at data byte `offset`, to the pieces of the bytes before them. */
export function appendPieces(pieces: ChecksumPiece[], offset: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const start = (offset + at) % SEGMENT_BLOCK_BYTES
    const length = Math.min(SEGMENT_BLOCK_BYTES - start, bytes.length - at)
    const run = bytes.subarray(at, at + length)
    const last = pieces.at(-1)
    if (last !== undefined && start > 0) {
      pieces[pieces.length - 1] = { ...last, length: last.length + length, crc: crc32(run, last.crc) }
    } else {
      pieces.push({ block: (offset + at - start) / SEGMENT_BLOCK_BYTES, start, length, crc: crc32(run) })
    }
    at += length
  }
}

/** The checksums of a whole part in memory. */
export function partChecksums(offset: number, bytes: Uint8Array): PartChecksums {
  const pieces: ChecksumPiece[] = []
  appendPieces(pieces, offset, bytes)
  return { offset, length: bytes.length, pieces }
}

/** The CRC-32 of all bytes of a part. */
export function partCrc({ pieces }: PartChecksums): number {
  return pieces.reduce((crc, piece) => crc32Combine(crc, piece.crc, piece.length), 0)
}

export class SegmentChecksums {
  readonly dataBytes: number
  readonly #crcs: Uint32Array
  readonly #whole: Uint8Array
  readonly #pieces = new Map<number, ChecksumPiece[]>()
  #missing: number

  constructor(dataBytes: number) {
    this.dataBytes = dataBytes
    this.#missing = segmentBlockCount(dataBytes)
    this.#crcs = new Uint32Array(this.#missing)
    this.#whole = new Uint8Array(this.#missing)
  }

  /** Whether every data byte is under a checksum. */
  get complete(): boolean {
    return this.#missing === 0
  }

  /**
   * Throws, and changes nothing, when the part leaves the data, has a gap, or covers a byte that is already covered.
   */
  add(part: PartChecksums): void {
    this.#checkShape(part)
    for (const piece of part.pieces) this.#checkFree(piece)
    for (const piece of part.pieces) this.#insert(piece)
  }

  /** The CRC of a whole block. */
  blockCrc(block: number): number {
    if (this.#whole[block] !== 1) throw new Error(`checksum block ${block} is not complete`)
    return this.#crcs[block]
  }

  /** Sets the CRC of a whole block whose bytes `patchSegment` changed. */
  replaceBlock(block: number, crc: number): void {
    if (this.#whole[block] !== 1) throw new Error(`checksum block ${block} is not complete and cannot be replaced`)
    this.#crcs[block] = crc
  }

  /**
   * A copy of the CRCs of all blocks. Throws, naming the first incomplete block, when data bytes were never written.
   */
  blockCrcs(): Uint32Array {
    if (!this.complete) {
      const block = this.#whole.indexOf(0)
      const covered = (this.#pieces.get(block) ?? []).reduce((sum, piece) => sum + piece.length, 0)
      throw new Error(
        `${this.#missing} of ${this.#whole.length} checksum blocks are incomplete; the first is block ${block} ` +
          `(data byte ${block * SEGMENT_BLOCK_BYTES}) with ${covered} of ${this.#blockLength(block)} bytes written`,
      )
    }
    return this.#crcs.slice()
  }

  #blockLength(block: number): number {
    return Math.min(SEGMENT_BLOCK_BYTES, this.dataBytes - block * SEGMENT_BLOCK_BYTES)
  }

  #checkShape(part: PartChecksums): void {
    let at = part.offset
    for (const { block, start, length } of part.pieces) {
      if (block * SEGMENT_BLOCK_BYTES + start !== at || length <= 0 || start + length > SEGMENT_BLOCK_BYTES) {
        throw new RangeError(`a part's checksums do not follow its bytes: block ${block}, start ${start}, at ${at}`)
      }
      at += length
    }
    if (part.offset < 0 || at !== part.offset + part.length || at > this.dataBytes) {
      throw new RangeError(
        `a part of ${part.length} bytes at ${part.offset} has checksums up to ${at}, the data ${this.dataBytes} bytes`,
      )
    }
  }

  #checkFree({ block, start, length }: ChecksumPiece): void {
    const overlaps =
      this.#whole[block] === 1 ||
      (this.#pieces.get(block) ?? []).some(
        (other) => start < other.start + other.length && other.start < start + length,
      )
    if (overlaps) {
      const at = block * SEGMENT_BLOCK_BYTES + start
      throw new RangeError(`data bytes ${at} to ${at + length} were written twice`)
    }
  }

  #insert(piece: ChecksumPiece): void {
    const { block } = piece
    const others = this.#pieces.get(block) ?? []
    const after = others.findIndex((other) => other.start > piece.start)
    const pieces = after < 0 ? [...others, piece] : others.toSpliced(after, 0, piece)
    const covered = pieces.reduce((sum, { length }) => sum + length, 0)
    if (covered < this.#blockLength(block)) {
      this.#pieces.set(block, pieces)
      return
    }
    this.#pieces.delete(block)
    this.#crcs[block] = pieces.reduce((crc, next) => crc32Combine(crc, next.crc, next.length), 0)
    this.#whole[block] = 1
    this.#missing--
  }
}

/** The footer, which follows the data: a u32 CRC-32 for each block of it, and a u32 CRC-32 of that table. */
export function encodeSegmentFooter(blockCrcs: Uint32Array): Uint8Array {
  const footer = new Uint8Array(4 * blockCrcs.length + 4)
  const view = new DataView(footer.buffer)
  blockCrcs.forEach((crc, block) => view.setUint32(4 * block, crc, true))
  const table = footer.subarray(0, 4 * blockCrcs.length)
  view.setUint32(table.length, crc32(table), true)
  return footer
}

const appendBlock = crc32Combiner(SEGMENT_BLOCK_BYTES)

/** The CRC of the whole file from the CRCs of its parts, without reading the data again. */
export function segmentFileCrc(
  header: Uint8Array,
  blockCrcs: Uint32Array,
  dataBytes: number,
  footer: Uint8Array,
): number {
  const whole = Math.floor(dataBytes / SEGMENT_BLOCK_BYTES)
  let crc = crc32(header)
  for (let block = 0; block < whole; block++) crc = appendBlock(crc, blockCrcs[block])
  if (whole < blockCrcs.length) crc = crc32Combine(crc, blockCrcs[whole], dataBytes - whole * SEGMENT_BLOCK_BYTES)
  return crc32Combine(crc, crc32(footer), footer.length)
}

/**
 * Decodes the block CRCs from the footer, as many bytes of it as the file has.
 * @throws CorruptIndexError when it is truncated, damaged, or does not belong to the manifest's file
 */
export function decodeBlockCrcs(
  footer: Uint8Array,
  header: SegmentHeader,
  file: SegmentFile,
  path: string,
): Uint32Array {
  const table = footer.subarray(0, footer.length - 4)
  const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength)
  if (footer.length < segmentFooterBytes(header.dataBytes) || crc32(table) !== view.getUint32(table.length, true)) {
    const offset = SEGMENT_HEADER_BYTES + header.dataBytes
    throw new CorruptIndexError(path, 'the checksum table is damaged', { offset })
  }
  // A copy: the footer may be at any address.
  const blockCrcs = new Uint32Array(new Uint8Array(table).buffer)
  const fileCrc = segmentFileCrc(encodeSegmentHeader(header), blockCrcs, header.dataBytes, footer)
  if (fileCrc !== file.crc32) {
    const [found, expected] = [fileCrc.toString(16), file.crc32.toString(16)]
    throw new CorruptIndexError(
      path,
      `the file belongs to another build: its CRC is ${found}, the manifest's ${expected}`,
    )
  }
  return blockCrcs
}
