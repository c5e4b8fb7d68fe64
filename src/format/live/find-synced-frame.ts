import type { ForwardBytes } from './forward-bytes.js'
import { decodeFrameHeader, FRAME_HEADER_BYTES, frameBytes, mayBeFrameHeader } from './log-frame.js'

/**
 * Looks from byte `from` on for a frame header that says that something after `lastSequence` was on the device when it
 * was written. Returns its offset, or undefined. The header is enough: what it says was true whether or not its payload
 * is whole.
 */
export async function findSyncedFrame(
  bytes: ForwardBytes,
  from: number,
  { fileCrc, lastSequence }: { readonly fileCrc: number; readonly lastSequence: number },
): Promise<number | undefined> {
  let offset = from
  while (offset + FRAME_HEADER_BYTES <= bytes.size) {
    const chunk = await bytes.at(offset, Math.max(bytes.chunkAt(offset), FRAME_HEADER_BYTES))
    if (chunk === undefined) return undefined
    let at = 0
    while (at + FRAME_HEADER_BYTES <= chunk.length) {
      const header = mayBeFrameHeader(chunk, at) ? decodeFrameHeader(chunk, at, fileCrc) : undefined
      if (header !== undefined && header.synced > lastSequence) return offset + at
      // The payload of a sound header is no place for another.
      at += header === undefined ? 8 : frameBytes(header)
    }
    offset += at
  }
  return undefined
}
