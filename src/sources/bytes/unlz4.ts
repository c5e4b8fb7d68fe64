/** Decompresses a stream of LZ4 frames. Holds one block of at most 4 MiB and the 64 KiB before it. */
import { messageOf } from '../../runtime/realms.js'
import { ByteCursor } from './byte-cursor.js'
import type { ByteReader } from './byte-reader.js'
import { lz4Block } from './lz4-block.js'

const MAGIC = 0x184d2204
/** How far back a match may reach. */
const HISTORY_BYTES = 64 * 1024
/** By the block size code in a frame's header, 4 to 7. */
const BLOCK_BYTES = [64, 256, 1024, 4096].map((kibibytes) => kibibytes * 1024)

/** @throws InvalidFileError with the compressed offset when the data is damaged or truncated */
export async function* unlz4(bytes: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteCursor(bytes, 'LZ4')
  while (!(await input.atEnd())) yield* oneFrame(input)
}

async function* oneFrame(input: ByteCursor): AsyncGenerator<Uint8Array, void, void> {
  if ((await word(input)) !== MAGIC) throw input.failure('its LZ4 data is damaged (it does not begin with a frame)')
  const [flags, sizes] = Uint8Array.from(await input.take(2))
  const [hasBlockSums, hasSize, hasSum, hasDictionary] = [16, 8, 4, 1].map((bit) => (flags & bit) !== 0)
  const code = (sizes >> 4) & 7
  if (flags >> 6 !== 1 || code < 4) throw input.failure('its LZ4 data is damaged (an impossible frame)')
  if (hasDictionary) throw input.failure('its LZ4 data needs a dictionary; compress it without one')
  // The content size, which the reader of the data compares, and the checksum of the header.
  await input.take((hasSize ? 8 : 0) + 1)
  const blockBytes = BLOCK_BYTES[code - 4]
  const plain = new Uint8Array(HISTORY_BYTES + blockBytes)
  let kept = 0
  for (;;) {
    const size = await word(input)
    if (size === 0) break
    const packedBytes = size & 0x7fffffff
    if (packedBytes > blockBytes) throw input.failure('its LZ4 data is damaged (an impossible block)')
    const block = await input.take(packedBytes)
    let end = kept + packedBytes
    if (size >>> 31 === 1) plain.set(block, kept)
    else end = decoded(input, block, plain.subarray(0, kept + blockBytes), kept)
    if (hasBlockSums) await input.take(4)
    yield plain.slice(kept, end)
    const from = Math.max(0, end - HISTORY_BYTES)
    plain.copyWithin(0, from, end)
    kept = end - from
  }
  // Checksums are not compared: there is no xxHash here.
  if (hasSum) await input.take(4)
}

function decoded(input: ByteCursor, block: Uint8Array, into: Uint8Array, at: number): number {
  try {
    return lz4Block(block, into, at)
  } catch (cause) {
    throw input.failure(`its LZ4 data is damaged (${messageOf(cause)})`, cause)
  }
}

async function word(input: ByteCursor): Promise<number> {
  const [a, b, c, d] = await input.take(4)
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
}
