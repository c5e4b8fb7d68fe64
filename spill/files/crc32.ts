import zlib from 'node:zlib'

/** zlib counts bytes in 32 bits: larger inputs go in pieces. */
const MAX_PIECE_BYTES = 2 ** 30

/** The CRC-32 of `bytes` (shared memory is fine), continuing from `previous`. An unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  // The common case, without a view: a first search asks for the checksums of a thousand blocks.
  if (bytes.length > 0 && bytes.length <= MAX_PIECE_BYTES) return zlib.crc32(bytes, previous)
  let crc = previous
  // No call for an empty view: its pointer may be null, which zlib takes for "start again".
  for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) {
    crc = zlib.crc32(bytes.subarray(at, Math.min(at + MAX_PIECE_BYTES, bytes.length)), crc)
  }
  return crc
}
