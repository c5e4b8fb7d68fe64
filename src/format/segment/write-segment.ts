/**
 * The life of a segment file: `createSegment` writes its header and gives it its length. `PartWriter.write` puts each
 * part of the data at its place, from any thread and in any order, and `SegmentChecksums.add` gathers the parts'
 * checksums on the coordinator. `sealSegment` writes the footer and syncs the file; it never changes after that.
 * `SegmentReader` reads it in large pieces, `SegmentBlocks` in small ones during a search; both check every block of
 * data that they give out.
 */
import { constants, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { writeFailure } from '../bytes/file-errors.js'
import { writeAt } from '../bytes/write-durably.js'
import { PartWriter } from './part-writer.js'
import { encodeSegmentFooter, SegmentChecksums, segmentFileCrc } from './segment-checksums.js'
import type { SegmentFile } from './segment-file.js'
import {
  encodeSegmentHeader,
  segmentFileBytes,
  segmentFooterBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.js'

/**
 * Creates or truncates `path`; `keepData` keeps the data of an interrupted build. Data reads as zeros until it is
 * written; the file is complete after `sealSegment`.
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

/** Creates, fills and seals a small segment from memory. `data.length` must be `header.dataBytes`. */
export async function writeSegment(path: string, header: SegmentHeader, data: Uint8Array): Promise<SegmentFile> {
  await createSegment(path, header)
  const checksums = new SegmentChecksums(header.dataBytes)
  const writer = new PartWriter(path, 0)
  try {
    writer.write(data)
    checksums.add(writer.finish())
  } finally {
    writer.close()
  }
  return sealSegment(path, header, checksums)
}
