/** Verifies every byte of one segment against its checksums, in chunks, which also go to a visitor. */
import { checkHeaderShape } from '../segment/read-segment-header.js'
import { SegmentReader } from '../segment/segment-reader.js'
import type { SegmentFile } from '../segment/segment-file.js'
import { SEGMENT_BLOCK_BYTES, SEGMENT_HEADER_BYTES } from '../segment/segment-header.js'
import type { Manifest } from '../generation/manifest.js'
import type { VerifyFindings } from './verify-report.js'

/** Large enough for sequential reading, small beside any budget. */
const CHUNK_BYTES = 256 * SEGMENT_BLOCK_BYTES

export interface SegmentCheck {
  readonly path: string
  readonly file: SegmentFile
  readonly manifest: Manifest
  readonly findings: VerifyFindings
  readonly onBytes: (bytes: number) => void
}

/** Takes whole, verified records of one segment. `words` may be reused after the call. */
export type VisitRecords = (words: Uint32Array, dataOffset: number) => void

/**
 * Checks header, checksum table and every block. Records of a fixed stride go to `visit`, in order, except the records
 * of a chunk with a damaged block, which is reported already. When no byte was damaged, `readAgain` then reads data of
 * any shape. Returns whether no byte was damaged.
 */
export async function verifySegment(
  check: SegmentCheck,
  visit?: VisitRecords,
  readAgain?: (reader: SegmentReader) => Promise<void>,
): Promise<boolean> {
  const { path, file, manifest, findings, onBytes } = check
  const badOffsets = new Set<number>()
  let reader: SegmentReader | undefined
  let damages = 0
  try {
    reader = await SegmentReader.open(path, file, {
      onBadBlock: (error) => {
        damages++
        // Chunks of whole records share blocks at their ends: each damaged block is reported once.
        if (error.offset !== undefined && badOffsets.has(error.offset)) return
        if (error.offset !== undefined) badOffsets.add(error.offset)
        findings.addError(error)
      },
    })
    checkHeaderShape(reader.header, manifest, path)
    onBytes(file.bytes - reader.header.dataBytes)
    const { dataBytes, strideBytes } = reader.header
    const recordBytes = strideBytes === 0 ? 1 : strideBytes
    const chunkBytes = Math.max(1, Math.floor(CHUNK_BYTES / recordBytes)) * recordBytes
    const chunk = new Uint8Array(Math.min(chunkBytes, dataBytes))
    for (let at = 0; at < dataBytes; at += chunkBytes) {
      const bytes = chunk.subarray(0, Math.min(chunkBytes, dataBytes - at))
      const before = damages
      await reader.read(at, bytes)
      if (damages === before && strideBytes > 0) visit?.(new Uint32Array(chunk.buffer, 0, bytes.length / 4), at)
      onBytes(bytes.length)
    }
    if (damages === 0) await readAgain?.(reader)
  } catch (error) {
    findings.addError(error)
    return false
  } finally {
    await reader?.close()
    findings.filesChecked++
  }
  return damages === 0
}

/** The offset in the file of a data byte. */
export const fileOffset = (dataOffset: number): number => SEGMENT_HEADER_BYTES + dataOffset
