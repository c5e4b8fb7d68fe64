/** Ends a segment file: the checksum table after the data, and everything on the device. */
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { crc32, crc32Combine, crc32Combiner } from '../bytes/crc32.js'
import { writeAt } from '../bytes/whole-files.js'
import { writeFailure } from '../bytes/file-errors.js'
import type { SegmentChecksums } from './segment-checksums.js'
import type { SegmentFile } from './segment-file.js'
import {
  encodeSegmentHeader,
  segmentFileBytes,
  segmentFooterBytes,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.js'

/** The bytes after the data. */
export function encodeSegmentFooter(blockCrcs: Uint32Array): Uint8Array {
  const footer = new Uint8Array(4 * blockCrcs.length + 4)
  const view = new DataView(footer.buffer)
  blockCrcs.forEach((crc, block) => view.setUint32(4 * block, crc, true))
  const table = footer.subarray(0, 4 * blockCrcs.length)
  view.setUint32(table.length, crc32(table), true)
  return footer
}

const appendBlock = crc32Combiner(SEGMENT_BLOCK_BYTES)

/** The CRC of the whole file from the CRCs of its parts: no byte of the data is read again. */
export function segmentFileCrc(
  header: Uint8Array,
  blockCrcs: Uint32Array,
  dataBytes: number,
  footer: Uint8Array,
): number {
  const whole = Math.floor(dataBytes / SEGMENT_BLOCK_BYTES)
  let crc = crc32(header)
  for (let block = 0; block < whole; block++) crc = appendBlock(crc, blockCrcs[block])
  if (whole < blockCrcs.length) crc = crc32Combine(crc, blockCrcs[whole], dataBytes - whole * SEGMENT_BLOCK_BYTES)
  return crc32Combine(crc, crc32(footer), footer.length)
}

/**
 * Writes the footer, syncs the file and returns its entry for the manifest. Throws when a part is missing. The folder
 * entry itself is synced by `publishGeneration`.
 */
export async function sealSegment(
  path: string,
  header: SegmentHeader,
  checksums: SegmentChecksums,
): Promise<SegmentFile> {
  const { kind, firstNode, count, dataBytes } = header
  if (checksums.dataBytes !== dataBytes) {
    throw new RangeError(`${path}: checksums over ${checksums.dataBytes} bytes, the data has ${dataBytes}`)
  }
  const blockCrcs = checksums.blockCrcs()
  const footer = encodeSegmentFooter(blockCrcs)
  try {
    const handle = await open(path, 'r+')
    try {
      await writeAt(handle, footer, SEGMENT_HEADER_BYTES + dataBytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(path, segmentFooterBytes(dataBytes), error)
  }
  return {
    name: basename(path),
    kind,
    firstNode,
    count,
    bytes: segmentFileBytes(dataBytes),
    crc32: segmentFileCrc(encodeSegmentHeader(header), blockCrcs, dataBytes, footer),
  }
}
