import path from 'node:path'
import { PartWriter } from '../../format/segment/part-writer.js'
import { SegmentChecksums } from '../../format/segment/segment-checksums.js'
import { segmentFileName, type SegmentFile } from '../../format/segment/segment-file.js'
import { idTableHeader } from '../../format/segment/segment-header.js'
import { createSegment, sealSegment } from '../../format/segment/write-segment.js'
import type { Uses } from '../run/run.js'
import type { NumberedLayer } from '../layer/layer.js'
import { IdTableRows } from './id-table-rows.js'
import { writeRecords } from './write-records.js'
import type { IngestedFacts } from '../ingest/ingested.js'

const WRITE_BUFFER_BYTES = 256 * 1024

/** Writes the ids by node, segment by segment, and the table that finds a node by its id. */
export async function writeIds(
  run: Uses<'options' | 'paths' | 'queues'>,
  ingested: Pick<IngestedFacts, 'ids' | 'count' | 'dimensions'>,
  numbered: NumberedLayer,
): Promise<SegmentFile[]> {
  const files = await writeRecords(run, 'ids', ingested.ids.records, numbered, ingested.dimensions)
  files.push(await writeIdTable(run, ingested, numbered))
  return files
}

/** Rows `[u32 high][u32 low][u32 node][0]`, sorted by the first 64 bits of the fingerprint. */
async function writeIdTable(
  { paths, queues }: Uses<'paths' | 'queues'>,
  { ids, count, dimensions }: Pick<IngestedFacts, 'ids' | 'count' | 'dimensions'>,
  { nodeOfOrdinal }: NumberedLayer,
): Promise<SegmentFile> {
  const header = idTableHeader({ count, dimensions })
  const file = path.join(paths.generationDir, segmentFileName('id-table'))
  await createSegment(file, header)
  const checksums = new SegmentChecksums(header.dataBytes)
  const writer = new PartWriter(file, 0, { bufferBytes: WRITE_BUFFER_BYTES })
  try {
    const rows = ids.distinctIds === undefined ? undefined : new IdTableRows((bytes) => writer.write(bytes))
    for await (const batch of ids.table) {
      const words = new Uint32Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length / 4)
      for (let at = 0; at < words.length; at += 4) {
        words[at + 2] = nodeOfOrdinal[words[at + 3]]
        words[at + 3] = 0
        rows?.add(words[at], words[at + 1], words[at + 2])
      }
      if (rows === undefined) writer.write(batch.bytes)
      queues.buffers.release(batch.bytes)
    }
    rows?.end()
    checksums.add(writer.finish())
  } finally {
    writer.close()
  }
  await queues.dispose(ids.table)
  return sealSegment(file, header, checksums)
}
