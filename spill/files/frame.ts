/**
 * Encodes one batch as bytes and decodes it. Pure functions on bytes.
 *
 *     [u32 length][u32 crc32][u32 headerBytes][u32 count][u32 payloadBytes][u32 prefixCrc32]   the prefix
 *     [msgpack header][zeros to 8][raw bytes][zeros to 8]                                      the body
 *
 * `length` is the body's length, `crc32` covers the body, `prefixCrc32` the five words before it. The prefix has a
 * separate checksum because a damaged length would otherwise look like a truncated file. A frame is a multiple of 8
 * bytes long, so the raw bytes are 8-byte aligned when a frame is read to an aligned address.
 */

import type * as msgpackr from 'msgpackr'
// Not 'msgpackr' itself, which loads a native addon where one is installed. This entry has no types that resolve.
import * as withoutAddon from 'msgpackr/pack'
import { CorruptSpillError } from '../../src/errors.js'
import type { Batch } from '../batch.js'
import { crc32 } from './crc32.js'
import { isSoundHeader } from './is-sound-header.js'

export const FRAME_PREFIX_BYTES = 24

/** Where a frame is, for error messages. */
export interface FramePlace {
  readonly path: string
  readonly offset: number
}

export interface FramePrefix {
  readonly crc32: number
  readonly headerBytes: number
  readonly count: number
  readonly payloadBytes: number
  /** Bytes of prefix, header and its padding: where the raw bytes begin. */
  readonly leadBytes: number
  readonly frameBytes: number
}

export interface EncodedFrame {
  /** Parts for a vectored write: the lead, the batch's bytes (not a copy), the padding. None is empty. */
  readonly parts: readonly Uint8Array[]
  readonly count: number
  readonly payloadBytes: number
  readonly leadBytes: number
  readonly frameBytes: number
}

// No records: every frame must be readable alone. moreTypes: without it typed arrays lose their type.
// copyBuffers: a decoded binary would otherwise be a view that pins the read buffer, or changes when the buffer is
// reused.
const { Packr } = withoutAddon as unknown as typeof msgpackr
const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })

const ZEROS = new Uint8Array(8)

/** `bytes` rounded up to a multiple of 8. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}

/**
 * The frame of a batch; its raw bytes are viewed, not copied. Throws what msgpackr throws for a header it cannot hold.
 */
export function encodeFrame(batch: Batch): EncodedFrame {
  const header = packr.pack(batch.header)
  const payloadBytes = batch.bytes.byteLength
  const leadBytes = FRAME_PREFIX_BYTES + padded(header.byteLength)
  const frameBytes = leadBytes + padded(payloadBytes)
  const lead = Buffer.alloc(leadBytes)
  lead.set(header, FRAME_PREFIX_BYTES)
  const padding = ZEROS.subarray(0, padded(payloadBytes) - payloadBytes)
  let crc = crc32(lead.subarray(FRAME_PREFIX_BYTES))
  crc = crc32(batch.bytes, crc)
  crc = crc32(padding, crc)
  lead.writeUInt32LE(frameBytes - FRAME_PREFIX_BYTES, 0)
  lead.writeUInt32LE(crc, 4)
  lead.writeUInt32LE(header.byteLength, 8)
  lead.writeUInt32LE(batch.count, 12)
  lead.writeUInt32LE(payloadBytes, 16)
  lead.writeUInt32LE(crc32(lead.subarray(0, 20)), 20)
  const parts = [lead, batch.bytes, padding].filter((part) => part.byteLength > 0)
  return { parts, count: batch.count, payloadBytes, leadBytes, frameBytes }
}

/** The prefix at `at`; undefined when there is no whole, undamaged one. */
export function decodePrefix(bytes: Buffer, at = 0): FramePrefix | undefined {
  if (at + FRAME_PREFIX_BYTES > bytes.byteLength) return undefined
  if (crc32(bytes.subarray(at, at + 20)) !== bytes.readUInt32LE(at + 20)) return undefined
  const headerBytes = bytes.readUInt32LE(at + 8)
  const payloadBytes = bytes.readUInt32LE(at + 16)
  const leadBytes = FRAME_PREFIX_BYTES + padded(headerBytes)
  const frameBytes = leadBytes + padded(payloadBytes)
  if (frameBytes - FRAME_PREFIX_BYTES !== bytes.readUInt32LE(at)) return undefined
  return {
    crc32: bytes.readUInt32LE(at + 4),
    headerBytes,
    count: bytes.readUInt32LE(at + 12),
    payloadBytes,
    leadBytes,
    frameBytes,
  }
}

/**
 * Decodes a frame that was read in two pieces: `lead` (prefix, header, padding) and `payload` (raw bytes, padding).
 * The batch's bytes are a view of `payload`; its header owns its memory. `expected` is the frame as it was written.
 * Throws CorruptSpillError when a checksum or a size differs.
 */
export function decodeFrame<H>(
  lead: Buffer,
  payload: Uint8Array,
  expected: { readonly frameBytes: number; readonly count: number },
  place: FramePlace,
): Batch<H> {
  const prefix = decodePrefix(lead)
  if (prefix === undefined) throw new CorruptSpillError(place.path, place.offset, 'the frame prefix is damaged')
  const { frameBytes, count, leadBytes } = prefix
  if (frameBytes !== expected.frameBytes || count !== expected.count || leadBytes !== lead.byteLength) {
    throw new CorruptSpillError(
      place.path,
      place.offset,
      `expected a frame of ${expected.frameBytes} bytes with ${expected.count} vectors, ` +
        `got one of ${frameBytes} bytes with ${count}`,
    )
  }
  const body = crc32(payload, crc32(lead.subarray(FRAME_PREFIX_BYTES)))
  if (body !== prefix.crc32) {
    throw new CorruptSpillError(
      place.path,
      place.offset,
      `the frame's crc32 is ${body.toString(16)}, expected ${prefix.crc32.toString(16)}`,
    )
  }
  const header = unpackHeader<H>(lead.subarray(FRAME_PREFIX_BYTES, FRAME_PREFIX_BYTES + prefix.headerBytes), place)
  return { header, count, bytes: payload.subarray(0, prefix.payloadBytes) }
}

function unpackHeader<H>(bytes: Buffer, { path, offset }: FramePlace): H {
  if (!isSoundHeader(bytes)) throw new CorruptSpillError(path, offset, 'the frame header is not one msgpack value')
  try {
    return packr.unpack(bytes) as H
  } catch (cause) {
    throw new CorruptSpillError(path, offset, `the frame header cannot be read: ${String(cause)}`)
  }
}
