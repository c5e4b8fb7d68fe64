import type { BufferPool } from '../../../spill/buffer-pool.js'
import type { Queue } from '../../../spill/queue.js'
import { InvalidIdError } from '../../errors.js'
import { PartWriter } from '../../format/segment/part-writer.js'
import { SegmentChecksums } from '../../format/segment/segment-checksums.js'
import type { SegmentFile } from '../../format/segment/segment-file.js'
import { idsHeader } from '../../format/segment/segment-header.js'
import { createSegment, sealSegment } from '../../format/segment/write-segment.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { eachIdRecord } from '../ingest/drop-repeated-ids.js'
import { ID_HEAD_BYTES } from '../ingest/id-collector.js'
import { FanOut } from '../layer/fan-out.js'
import { rangeOf } from '../layer/segment-layout.js'
import { throwIfAborted, type Uses } from '../run/run.js'

/** Size of the open batch of ids of each part. */
const IDS_BATCH_BYTES = 16 * 1024
const WRITE_BUFFER_BYTES = 256 * 1024
/** Ids that are put in order at once; they are held twice. */
const HELD_BYTES = 2 ** 21
/** Parts of a range of ids; each has an open batch. */
const MOST_PARTS = 64

/** Parts of ids on their way to their place: a queue each, with the bytes of the ids in it. */
export interface IdParts {
  readonly out: FanOut
  readonly bytes: Float64Array
}

export function openParts({ queues }: Uses<'queues'>, name: string, count: number): IdParts {
  const parts = Array.from({ length: count }, (_, i) => queues.open<null>(`${name}-${i}`))
  return {
    out: new FanOut(parts, { buffers: queues.buffers, batchBytes: IDS_BATCH_BYTES }),
    bytes: new Float64Array(count),
  }
}

/** Adds the record from `at` to `end`. Once per vector: it allocates nothing. */
export function addTo(
  parts: IdParts,
  part: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): Promise<void> | undefined {
  parts.bytes[part] += end - at - ID_HEAD_BYTES
  return parts.out.appendRecord(part, bytes, at, end)
}

/** The ids of consecutive nodes, in any order. */
interface IdRange {
  readonly queue: Queue<null>
  readonly firstNode: number
  readonly count: number
  /** Of the ids, without the heads of their records. */
  readonly bytes: number
}

/** Writes the data of one ids segment: offsets, then the encoded ids by node. */
export async function writeIdSegment(
  run: Uses<'options' | 'paths' | 'queues'>,
  file: string,
  range: IdRange,
  dimensions: number,
): Promise<SegmentFile> {
  const { firstNode, count, bytes } = range
  if (bytes >= 2 ** 32) {
    throw new InvalidIdError(
      `the ids of ${count} vectors that are near each other take ${formatByteSize(bytes)}, and a file of ids has room ` +
        `for 4 GiB; use shorter ids`,
    )
  }
  const offsets = new Uint32Array(count + 1)
  const header = idsHeader({ firstNode, count, dimensions, dataBytes: offsets.byteLength + bytes })
  const checksums = new SegmentChecksums(header.dataBytes)
  await createSegment(file, header)
  await withWriter(file, offsets.byteLength, checksums, (writer) =>
    writeIdRange(run, range, { firstNode, offsets, writer }),
  )
  for (let i = 0; i < count; i++) offsets[i + 1] += offsets[i]
  await withWriter(file, 0, checksums, (writer) => writer.write(new Uint8Array(offsets.buffer)))
  return sealSegment(file, header, checksums)
}

async function withWriter(
  file: string,
  offset: number,
  checksums: SegmentChecksums,
  write: (writer: PartWriter) => Promise<void> | void,
): Promise<void> {
  const writer = new PartWriter(file, offset, { bufferBytes: WRITE_BUFFER_BYTES })
  try {
    await write(writer)
    checksums.add(writer.finish())
  } finally {
    writer.close()
  }
}

/** Where a segment's ids go. */
interface IdSink {
  readonly firstNode: number
  /** At i + 1: the bytes of the i-th id, once it is written. */
  readonly offsets: Uint32Array
  readonly writer: PartWriter
}

/**
 * Writes the ids of a range in the order of nodes. A range with more than can be held at once is divided into parts by
 * node, which go through queues once more.
 */
async function writeIdRange(
  run: Uses<'options' | 'paths' | 'queues'>,
  { queue, firstNode, count, bytes }: IdRange,
  sink: IdSink,
): Promise<void> {
  throwIfAborted(run)
  const { queues } = run
  if (bytes <= HELD_BYTES || count === 1) {
    sink.writer.write(await gatherIds(queues.buffers, queue, sink, { firstNode, count, bytes }))
    await queues.dispose(queue)
    return
  }
  const partCount = Math.min(count, MOST_PARTS, Math.ceil(bytes / HELD_BYTES))
  const starts = Uint32Array.from({ length: partCount + 1 }, (_, part) => Math.floor((part * count) / partCount))
  const parts = openParts(run, `${queue.name}-part`, partCount)
  for await (const batch of queue) {
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
    for (let at = 0; at < batch.bytes.length;) {
      const end = at + ID_HEAD_BYTES + view.getUint32(at + 4, true)
      const pushed = addTo(parts, rangeOf(starts, view.getUint32(at, true) - firstNode), batch.bytes, at, end)
      if (pushed !== undefined) await pushed
      at = end
    }
    queues.buffers.release(batch.bytes)
  }
  await parts.out.flush()
  await queues.dispose(queue)
  for (const [part, partQueue] of parts.out.queues.entries()) {
    const nodes = { firstNode: firstNode + starts[part], count: starts[part + 1] - starts[part] }
    await writeIdRange(run, { queue: partQueue, ...nodes, bytes: parts.bytes[part] }, sink)
  }
}

/** The ids of a range, by node. */
async function gatherIds(
  buffers: BufferPool,
  queue: Queue<null>,
  { offsets, firstNode: firstOfSegment }: IdSink,
  { firstNode, count, bytes: dataBytes }: Omit<IdRange, 'queue'>,
): Promise<Uint8Array> {
  // Two passes over the batches: the first finds the place of each id, the second copies the ids. Neither allocates
  // anything per id.
  const batches: Uint8Array[] = []
  const starts = new Uint32Array(count + 1)
  for await (const { bytes } of queue) {
    batches.push(bytes)
    eachIdRecord(bytes, (node, from, to) => {
      offsets[node - firstOfSegment + 1] = to - from
      starts[node - firstNode + 1] = to - from
    })
  }
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i]
  const data = new Uint8Array(dataBytes)
  for (const bytes of batches) {
    eachIdRecord(bytes, (node, from, to) => {
      let at = starts[node - firstNode]
      for (let i = from; i < to; i++) data[at++] = bytes[i]
    })
    buffers.release(bytes)
  }
  return data
}
