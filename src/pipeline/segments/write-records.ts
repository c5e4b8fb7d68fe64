import path from 'node:path'
import type { Queue } from '../../../spill/queue.js'
import { segmentFileName, type SegmentFile } from '../../format/segment/segment-file.js'
import { NO_NODE, type NumberedLayer } from '../layer/layer.js'
import { rangeOf } from '../layer/segment-layout.js'
import { throwIfAborted, type Uses } from '../run/run.js'
import { RECORD_HEAD_BYTES } from './numbered-records.js'
import { addTo, openParts, writeRecordSegment, type RecordKind } from './write-record-segment.js'

/**
 * Writes the records of a queue, numbered by ordinal, to segments of their kind by node, and disposes the queue. Records
 * of ordinals without a node are left out.
 */
export async function writeRecords(
  run: Uses<'options' | 'paths' | 'queues'>,
  kind: RecordKind,
  records: Queue<null>,
  { layout, nodeOfOrdinal }: NumberedLayer,
  dimensions: number,
): Promise<SegmentFile[]> {
  const { queues, paths } = run
  const { starts } = layout
  const segmentCount = starts.length - 1
  const bySegment = openParts(run, kind, segmentCount)
  for await (const batch of records) {
    throwIfAborted(run)
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
    for (let at = 0; at < batch.bytes.length;) {
      const node = nodeOfOrdinal[view.getUint32(at, true)]
      const end = at + RECORD_HEAD_BYTES + view.getUint32(at + 4, true)
      if (node !== NO_NODE) {
        // The record keeps its layout; its first word is now the node.
        view.setUint32(at, node, true)
        const pushed = addTo(bySegment, rangeOf(starts, node), batch.bytes, at, end)
        if (pushed !== undefined) await pushed
      }
      at = end
    }
    queues.buffers.release(batch.bytes)
  }
  await bySegment.out.flush()
  await queues.dispose(records)

  const files: SegmentFile[] = []
  for (const [segment, queue] of bySegment.out.queues.entries()) {
    throwIfAborted(run)
    const nodes = { queue, firstNode: starts[segment], count: starts[segment + 1] - starts[segment] }
    const file = path.join(paths.generationDir, segmentFileName(kind, segment))
    files.push(await writeRecordSegment(run, kind, file, { ...nodes, bytes: bySegment.bytes[segment] }, dimensions))
  }
  return files
}
