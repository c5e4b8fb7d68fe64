import path from 'node:path'
import type { BufferPool } from '../../../spill/buffer-pool.js'
import type { Queue } from '../../../spill/queue.js'
import { PartWriter } from '../../format/segment/part-writer.js'
import { SegmentChecksums } from '../../format/segment/segment-checksums.js'
import { segmentFileName, type SegmentFile } from '../../format/segment/segment-file.js'
import { idTableHeader, idsHeader } from '../../format/segment/segment-header.js'
import { writeSegment, createSegment, sealSegment } from '../../format/segment/write-segment.js'
import { eachIdRecord } from '../ingest/drop-repeated-ids.js'
import type { Uses } from '../run/run.js'
import { throwIfAborted } from '../run/run.js'
import { FanOut } from '../layer/fan-out.js'
import { NO_NODE, type NumberedLayer } from '../layer/layer.js'
import { rangeOf } from '../layer/segment-layout.js'
import type { IngestedFacts } from '../ingest/ingested.js'

/** Size of the open batch of ids of each segment. */
const IDS_BATCH_BYTES = 16 * 1024
const WRITE_BUFFER_BYTES = 256 * 1024

/** Writes the ids by node, segment by segment, and the table that finds a node by its id. */
export async function writeIds(
  run: Uses<'options' | 'paths' | 'queues'>,
  ingested: Pick<IngestedFacts, 'ids' | 'count' | 'dimensions'>,
  numbered: NumberedLayer,
): Promise<SegmentFile[]> {
  const files = await writeIdSegments(run, ingested, numbered)
  files.push(await writeIdTable(run, ingested, numbered))
  return files
}

async function writeIdSegments(
  run: Uses<'options' | 'paths' | 'queues'>,
  { ids, dimensions }: Pick<IngestedFacts, 'ids' | 'dimensions'>,
  { layout, nodeOfOrdinal }: NumberedLayer,
): Promise<SegmentFile[]> {
  const { queues, paths } = run
  const { buffers } = queues
  const segmentCount = layout.starts.length - 1
  const bySegment = Array.from({ length: segmentCount }, (_, i) => queues.open<null>(`ids-${i}`))
  const out = new FanOut(bySegment, { buffers, batchBytes: IDS_BATCH_BYTES })
  for await (const batch of ids.records) {
    throwIfAborted(run)
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
    for (let at = 0; at < batch.bytes.length;) {
      const node = nodeOfOrdinal[view.getUint32(at, true)]
      const length = 8 + view.getUint32(at + 4, true)
      if (node !== NO_NODE) {
        // The record keeps its layout; its first word is now the node.
        view.setUint32(at, node, true)
        const pushed = out.appendRecord(rangeOf(layout.starts, node), batch.bytes, at, at + length)
        if (pushed !== undefined) await pushed
      }
      at += length
    }
    buffers.release(batch.bytes)
  }
  await out.flush()
  await queues.dispose(ids.records)

  const files: SegmentFile[] = []
  for (const [segment, queue] of bySegment.entries()) {
    throwIfAborted(run)
    const firstNode = layout.starts[segment]
    const count = layout.starts[segment + 1] - firstNode
    const data = await gatherIds(buffers, queue, firstNode, count)
    await queues.dispose(queue)
    const file = path.join(paths.generationDir, segmentFileName('ids', segment))
    files.push(await writeSegment(file, idsHeader({ firstNode, count, dimensions, dataBytes: data.length }), data))
  }
  return files
}

/** Data of one ids segment: offsets, then the encoded ids by node. */
async function gatherIds(
  buffers: BufferPool,
  queue: Queue<null>,
  firstNode: number,
  count: number,
): Promise<Uint8Array> {
  // Two passes over the batches: the first finds the place of each id, the second copies the ids. Neither allocates
  // anything per id.
  const batches: Uint8Array[] = []
  const ends = new Uint32Array(count + 1)
  for await (const { bytes } of queue) {
    batches.push(bytes)
    eachIdRecord(bytes, (node, from, to) => {
      ends[node - firstNode + 1] = to - from
    })
  }
  for (let i = 0; i < count; i++) ends[i + 1] += ends[i]
  const data = new Uint8Array(ends.byteLength + ends[count])
  data.set(new Uint8Array(ends.buffer))
  for (const bytes of batches) {
    eachIdRecord(bytes, (node, from, to) => {
      let at = ends.byteLength + ends[node - firstNode]
      for (let i = from; i < to; i++) data[at++] = bytes[i]
    })
    buffers.release(bytes)
  }
  return data
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
    for await (const batch of ids.table) {
      const words = new Uint32Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length / 4)
      for (let at = 0; at < words.length; at += 4) {
        words[at + 2] = nodeOfOrdinal[words[at + 3]]
        words[at + 3] = 0
      }
      writer.write(batch.bytes)
      queues.buffers.release(batch.bytes)
    }
    checksums.add(writer.finish())
  } finally {
    writer.close()
  }
  await queues.dispose(ids.table)
  return sealSegment(file, header, checksums)
}
