/** Begins a segment file: its header page, and its length, so that any part can be written at its place. */
import { constants, open } from 'node:fs/promises'
import { writeAt } from '../bytes/whole-files.js'
import { writeFailure } from '../bytes/file-errors.js'
import { encodeSegmentHeader, segmentFileBytes, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js'

/**
 * Creates (or, unless data of an interrupted build is to be kept, empties) `path`. The data reads as zeros until written;
 * the file is complete after `sealSegment`.
 */
export async function createSegment(path: string, header: SegmentHeader, options = { keepData: false }): Promise<void> {
  try {
    const handle = await open(path, options.keepData ? constants.O_RDWR | constants.O_CREAT : 'w')
    try {
      await writeAt(handle, encodeSegmentHeader(header), 0)
      await handle.truncate(SEGMENT_HEADER_BYTES + header.dataBytes)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(path, segmentFileBytes(header.dataBytes), error)
  }
}
