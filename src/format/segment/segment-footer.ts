/** What follows a segment's data: a u32 CRC-32 for each block of it, and a u32 CRC-32 of that table. */
import { CorruptIndexError } from '../../errors.js'
import { crc32 } from '../bytes/crc32.js'
import type { SegmentFile } from './segment-file.js'
import { segmentFileCrc } from './seal-segment.js'
import { encodeSegmentHeader, segmentFooterBytes, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js'

/**
 * The blocks' CRCs out of `footer`, all bytes that there were of it.
 * @throws CorruptIndexError when it is cut, damaged, or of another file than the manifest's
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
  // A copy: the footer may lie at any address.
  const blockCrcs = new Uint32Array(new Uint8Array(table).buffer)
  const fileCrc = segmentFileCrc(encodeSegmentHeader(header), blockCrcs, header.dataBytes, footer)
  if (fileCrc !== file.crc32) {
    const [found, expected] = [fileCrc.toString(16), file.crc32.toString(16)]
    throw new CorruptIndexError(path, `the file is of another build: its CRC is ${found}, the manifest's ${expected}`)
  }
  return blockCrcs
}
