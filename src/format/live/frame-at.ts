import { CorruptIndexError } from '../../errors.js'
import type { ForwardBytes } from './forward-bytes.js'
import type { Change } from './log-change.js'
import {
  chainOf,
  decodeFrame,
  decodeFrameHeader,
  FRAME_HEADER_BYTES,
  frameBytes,
  frameFault,
  isMark,
} from './log-frame.js'

/** A whole frame. */
interface Sound {
  /** Valid until the next read. Undefined for a mark. */
  readonly change: Change | undefined
  readonly end: number
  readonly chain: number
  /** The last sequence that a mark says was given; 0 of a change. */
  readonly given: number
}

/** Not a whole frame; `next` is the first byte at which a later one may begin. */
export interface Unsound {
  readonly reason: string
  readonly next: number
}

/**
 * The frame at `offset`, which continues `chain`. No memory is taken by a length that the file has no bytes for.
 * @throws CorruptIndexError for a frame whose checksums are right and whose numbers are impossible
 */
export async function frameAt(
  bytes: ForwardBytes,
  offset: number,
  chain: number,
  log: { readonly path: string; readonly fileCrc: number; readonly dimensions: number },
): Promise<Sound | Unsound> {
  const cut = { reason: 'the log was cut off here while it was read', next: bytes.size }
  const left = bytes.size - offset
  if (left < FRAME_HEADER_BYTES) return { reason: `${left} bytes are no frame header`, next: bytes.size }
  const head = await bytes.at(offset, FRAME_HEADER_BYTES)
  if (head === undefined) return cut
  const header = decodeFrameHeader(head, 0, log.fileCrc)
  // Headers are searched for at every multiple of 8, because the length is not known.
  if (header === undefined) return { reason: "the frame header's CRC is wrong", next: offset + 8 }
  const fault = frameFault(header, log.dimensions)
  if (fault !== undefined) throw new CorruptIndexError(log.path, fault, { offset })
  const length = frameBytes(header)
  if (length > left) return { reason: `a frame of ${length} bytes has ${left}`, next: bytes.size }
  const frame = await bytes.at(offset, length)
  if (frame === undefined) return cut
  const computed = chainOf(frame, chain)
  if (computed !== header.chain) {
    const [is, stored] = [computed, header.chain].map((crc) => crc.toString(16).padStart(8, '0'))
    return { reason: `the frame's CRC is ${is}, stored ${stored}`, next: offset + length }
  }
  const place = { end: offset + length, chain: header.chain }
  if (isMark(header)) return { ...place, change: undefined, given: header.firstSequence }
  return { ...place, change: decodeFrame(frame, header, { ...log, offset }), given: 0 }
}
