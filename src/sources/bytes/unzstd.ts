/**
 * Decompresses a stream of Zstandard (RFC 8878). This code walks the frames and gives the decompressor one block at a
 * time: a block has at most 128 KiB of output, so a few compressed bytes cannot produce gigabytes at once.
 */
import { Decompress } from 'fzstd'
import { ByteCursor } from './byte-cursor.js'
import type { ByteReader } from './byte-reader.js'
import { messageOf } from '../../runtime/realms.js'

export const ZSTD_MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)

/** The window of level 20; --long and --ultra ask for up to 2 GiB. */
const MAX_WINDOW_BYTES = 32 * 1024 * 1024
const MAX_BLOCK_BYTES = 128 * 1024
const SKIPPED_AT_ONCE = 1 << 20

/** @throws InvalidFileError with the compressed offset when the data is damaged, truncated, or needs a larger window */
export async function* unzstd(bytes: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteCursor(bytes, 'zstd')
  for (let frame = 0; !(await input.atEnd()); frame++) {
    const magic = new DataView(Uint8Array.from(await input.take(4)).buffer).getUint32(0, true)
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) await skipFrame(input)
    else if (magic === 0xfd2fb528) yield* oneFrame(input)
    else throw input.failure('its zstd data is followed by something else')
  }
}

async function skipFrame(input: ByteCursor): Promise<void> {
  let left = new DataView(Uint8Array.from(await input.take(4)).buffer).getUint32(0, true)
  for (; left > 0; left -= Math.min(left, SKIPPED_AT_ONCE)) await input.take(Math.min(left, SKIPPED_AT_ONCE))
}

async function* oneFrame(input: ByteCursor): AsyncGenerator<Uint8Array, void, void> {
  const header = await frameHeader(input)
  let output: Uint8Array[] = []
  const decompressor = new Decompress((chunk) => output.push(chunk))
  let bytesOut = 0
  const push = (piece: Uint8Array, final: boolean): Uint8Array[] => {
    output = []
    try {
      decompressor.push(piece, final)
    } catch (cause) {
      throw input.failure(`its zstd data is damaged (${messageOf(cause)})`, cause)
    }
    for (const chunk of output) bytesOut += chunk.length
    return output
  }
  push(header.bytes, false)
  for (let last = false; !last;) {
    const start = Uint8Array.from(await input.take(3))
    const word = start[0] | (start[1] << 8) | (start[2] << 16)
    last = (word & 1) === 1
    const type = (word >> 1) & 3
    const size = word >> 3
    if (type === 3 || size > MAX_BLOCK_BYTES) throw input.failure('its zstd data is damaged (an impossible block)')
    const content = await input.take(type === 1 ? 1 : size)
    const block = new Uint8Array(3 + content.length)
    block.set(start)
    block.set(content, 3)
    yield* push(block, false)
  }
  // The checksum is not verified: the decompressor has no xxHash.
  yield* push(header.hasChecksum ? Uint8Array.from(await input.take(4)) : new Uint8Array(0), true)
  if (header.contentBytes !== undefined && header.contentBytes !== bytesOut) {
    throw input.failure(`its zstd frame has ${bytesOut} bytes, expected ${header.contentBytes}`)
  }
}

interface FrameHeader {
  readonly bytes: Uint8Array
  readonly hasChecksum: boolean
  readonly contentBytes: number | undefined
}

async function frameHeader(input: ByteCursor): Promise<FrameHeader> {
  const [descriptor] = await input.take(1)
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? Number(singleSegment) : 1 << sizeFlag
  const rest = Uint8Array.from(await input.take(Number(!singleSegment) + dictionaryBytes + sizeBytes))
  if (rest.subarray(Number(!singleSegment), rest.length - sizeBytes).some((byte) => byte !== 0)) {
    throw input.failure('its zstd data needs a dictionary; compress it without one')
  }
  let contentBytes = 0
  for (let i = 0; i < sizeBytes; i++) contentBytes += rest[rest.length - sizeBytes + i] * 2 ** (8 * i)
  if (sizeFlag === 1) contentBytes += 256
  const windowBytes = singleSegment ? contentBytes : 2 ** (10 + (rest[0] >> 3)) * (1 + (rest[0] & 7) / 8)
  if (windowBytes > MAX_WINDOW_BYTES) {
    const reason = `its zstd data needs a window of ${windowBytes} bytes, expected at most ${MAX_WINDOW_BYTES}`
    throw input.failure(`${reason}; compress it without --long and --ultra`)
  }
  const bytes = new Uint8Array(5 + rest.length)
  bytes.set(ZSTD_MAGIC)
  bytes[4] = descriptor
  bytes.set(rest, 5)
  return { bytes, hasChecksum: (descriptor & 4) !== 0, contentBytes: sizeBytes > 0 ? contentBytes : undefined }
}
