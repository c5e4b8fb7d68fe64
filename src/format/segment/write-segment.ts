/** A whole segment from bytes in memory: for the small ones (upper levels, one range of ids). */
import { createSegment } from './create-segment.js'
import { PartWriter } from './part-writer.js'
import { sealSegment } from './seal-segment.js'
import { SegmentChecksums } from './segment-checksums.js'
import type { SegmentFile } from './segment-file.js'
import type { SegmentHeader } from './segment-header.js'

/** Creates, fills and seals `path`. `data.length` must be `header.dataBytes`. */
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
