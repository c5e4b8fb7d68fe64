/** Changes bytes of a segment that is written but not sealed: graph repair adds links after a segment is written. */
import { open } from 'node:fs/promises'
import { CorruptIndexError } from '../../errors.js'
import { crc32 } from '../../../spill/files/crc32.js'
import { writeFailure } from '../bytes/file-errors.js'
import type { SegmentChecksums } from './segment-checksums.js'
import { SEGMENT_BLOCK_BYTES, SEGMENT_HEADER_BYTES } from './segment-header.js'
import { writeAt } from '../bytes/write-durably.js'
import { readAt } from '../../../spill/files/read-at.js'

/**
 * Overwrites data bytes from `dataOffset` on, and updates `checksums`, which must be whole there. One call at a time
 * for each file.
 * @throws CorruptIndexError when the blocks on disk differ from the bytes that were written
 */
export async function patchSegment(
  path: string,
  checksums: SegmentChecksums,
  dataOffset: number,
  bytes: Uint8Array,
): Promise<void> {
  const patchEnd = dataOffset + bytes.length
  if (dataOffset < 0 || patchEnd > checksums.dataBytes) {
    throw new RangeError(`${path}: cannot patch data bytes ${dataOffset} to ${patchEnd} of ${checksums.dataBytes}`)
  }
  if (bytes.length === 0) return
  const firstBlock = Math.floor(dataOffset / SEGMENT_BLOCK_BYTES)
  const start = firstBlock * SEGMENT_BLOCK_BYTES
  const end = Math.min(Math.ceil(patchEnd / SEGMENT_BLOCK_BYTES) * SEGMENT_BLOCK_BYTES, checksums.dataBytes)
  const blocks = new Uint8Array(end - start)
  try {
    const handle = await open(path, 'r+')
    try {
      await readAt(handle, blocks, SEGMENT_HEADER_BYTES + start)
      for (const { block, crc } of crcsOf(blocks, firstBlock)) {
        if (crc !== checksums.blockCrc(block)) {
          const offset = SEGMENT_HEADER_BYTES + block * SEGMENT_BLOCK_BYTES
          throw new CorruptIndexError(path, 'the disk did not keep what was written', { offset })
        }
      }
      blocks.set(bytes, dataOffset - start)
      await writeAt(handle, bytes, SEGMENT_HEADER_BYTES + dataOffset)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(path, bytes.length, error)
  }
  for (const { block, crc } of crcsOf(blocks, firstBlock)) checksums.replaceBlock(block, crc)
}

function crcsOf(blocks: Uint8Array, firstBlock: number): { block: number; crc: number }[] {
  const count = Math.ceil(blocks.length / SEGMENT_BLOCK_BYTES)
  return Array.from({ length: count }, (_, i) => ({
    block: firstBlock + i,
    crc: crc32(blocks.subarray(i * SEGMENT_BLOCK_BYTES, Math.min((i + 1) * SEGMENT_BLOCK_BYTES, blocks.length))),
  }))
}
