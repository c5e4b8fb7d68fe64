/** A segment's data from front to back, in chunks, into memory that the caller chose. */
import { SegmentReader } from './segment-reader.js'
import type { SegmentFile } from './segment-file.js'
import { SEGMENT_BLOCK_BYTES } from './segment-header.js'

export interface ReadSegmentOptions {
  /** First data byte wanted. Default 0. */
  readonly offset?: number
  /** Bytes wanted. Default: to the end of the data. */
  readonly length?: number
  /** Bytes of a chunk at most. Whole checksum blocks are the fastest. Default 8 MiB. */
  readonly chunkBytes?: number
  /** Called when a chunk's view is full and verified. */
  readonly onChunk?: (dataOffset: number, view: Uint8Array) => void
}

const DEFAULT_CHUNK_BYTES = 512 * SEGMENT_BLOCK_BYTES

/**
 * Fills, chunk by chunk, the view that `into(dataOffset, length)` gives; it must have that length and stay attached
 * until the chunk is read. One chunk is under way at a time.
 * @throws CorruptIndexError at the first wrong checksum; that chunk's bytes must not be used.
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
