import type { BufferPool } from '../../../spill/buffer-pool.js'
import type { Queue } from '../../../spill/queue.js'
import { InvalidIdError, InvalidOptionError, type ShardloomError } from '../../errors.js'
import { PartWriter } from '../../format/segment/part-writer.js'
import { SegmentChecksums } from '../../format/segment/segment-checksums.js'
import type { SegmentFile } from '../../format/segment/segment-file.js'
import { fieldsHeader, idsHeader } from '../../format/segment/segment-header.js'
import { createSegment, sealSegment } from '../../format/segment/write-segment.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { FanOut } from '../layer/fan-out.js'
import { rangeOf } from '../layer/segment-layout.js'
import { throwIfAborted, type Uses } from '../run/run.js'
import { copyBytes, eachRecord, RECORD_HEAD_BYTES } from './numbered-records.js'

/** Kinds of segments whose records come from the stream. */
export type RecordKind = 'ids' | 'fields'

/** Size of the open batch of each part. */
const PART_BATCH_BYTES = 16 * 1024
const WRITE_BUFFER_BYTES = 256 * 1024
/** Records that are put in order at once; they are held twice. */
const HELD_BYTES = 2 ** 21
/** Parts of a range of nodes; each has an open batch. */
const MOST_PARTS = 64

/** Parts of records on their way to their place: a queue each, with the bytes in it, less the heads of records. */
export interface RecordParts {
  readonly out: FanOut
  readonly bytes: Float64Array
}

export function openParts({ queues }: Uses<'queues'>, name: string, count: number): RecordParts {
  const parts = Array.from({ length: count }, (_, i) => queues.open<null>(`${name}-${i}`))
  return {
    out: new FanOut(parts, { buffers: queues.buffers, batchBytes: PART_BATCH_BYTES }),
    bytes: new Float64Array(count),
  }
}

/** Adds the record from `at` to `end`. Once per vector: it allocates nothing. */
export function addTo(
  parts: RecordParts,
  part: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): Promise<void> | undefined {
  parts.bytes[part] += end - at - RECORD_HEAD_BYTES
  return parts.out.appendRecord(part, bytes, at, end)
}

/** The records of consecutive nodes, in any order. */
interface RecordRange {
  readonly queue: Queue<null>
  readonly firstNode: number
  readonly count: number
  /** Of the records, without their heads. */
  readonly bytes: number
}

/** Writes the data of one segment of ids or fields: offsets, then the records by node. */
export async function writeRecordSegment(
  run: Uses<'options' | 'paths' | 'queues'>,
  kind: RecordKind,
  file: string,
  range: RecordRange,
  dimensions: number,
): Promise<SegmentFile> {
  const { firstNode, count, bytes } = range
  if (bytes >= 2 ** 32) throw tooLong(kind, range)
  const offsets = new Uint32Array(count + 1)
  const shape = { firstNode, count, dimensions, dataBytes: offsets.byteLength + bytes }
  const header = kind === 'ids' ? idsHeader(shape) : fieldsHeader(shape)
  const checksums = new SegmentChecksums(header.dataBytes)
  await createSegment(file, header)
  await withWriter(file, offsets.byteLength, checksums, (writer) =>
    writeRange(run, range, { firstNode, offsets, writer }),
  )
  for (let i = 0; i < count; i++) offsets[i + 1] += offsets[i]
  await withWriter(file, 0, checksums, (writer) => writer.write(new Uint8Array(offsets.buffer)))
  return sealSegment(file, header, checksums)
}

function tooLong(kind: RecordKind, { count, bytes }: RecordRange): ShardloomError {
  const takes = `of ${count} vectors that are near each other take ${formatByteSize(bytes)}`
  if (kind === 'ids') {
    return new InvalidIdError(`the ids ${takes}, and a file of ids has room for 4 GiB; use shorter ids`)
  }
  return new InvalidOptionError(
    `the fields ${takes}, and a file of fields has room for 4 GiB; store long texts elsewhere, under a short key`,
  )
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

/** Where a segment's records go. */
interface RecordSink {
  readonly firstNode: number
  /** At i + 1: the bytes of the i-th record, once it is written. */
  readonly offsets: Uint32Array
  readonly writer: PartWriter
}

/**
 * Writes the records of a range in the order of nodes. A range with more than can be held at once is divided into parts by
 * node, which go through queues once more.
 */
async function writeRange(
  run: Uses<'options' | 'paths' | 'queues'>,
  { queue, firstNode, count, bytes }: RecordRange,
  sink: RecordSink,
): Promise<void> {
  throwIfAborted(run)
  const { queues } = run
  if (bytes <= HELD_BYTES || count === 1) {
    sink.writer.write(await gather(queues.buffers, queue, sink, { firstNode, count, bytes }))
    await queues.dispose(queue)
    return
  }
  const partCount = Math.min(count, MOST_PARTS, Math.ceil(bytes / HELD_BYTES))
  const starts = Uint32Array.from({ length: partCount + 1 }, (_, part) => Math.floor((part * count) / partCount))
  const parts = openParts(run, `${queue.name}-part`, partCount)
  for await (const batch of queue) {
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
    for (let at = 0; at < batch.bytes.length;) {
      const end = at + RECORD_HEAD_BYTES + view.getUint32(at + 4, true)
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
    await writeRange(run, { queue: partQueue, ...nodes, bytes: parts.bytes[part] }, sink)
  }
}

/** The records of a range, by node. */
async function gather(
  buffers: BufferPool,
  queue: Queue<null>,
  { offsets, firstNode: firstOfSegment }: RecordSink,
  { firstNode, count, bytes: dataBytes }: Omit<RecordRange, 'queue'>,
): Promise<Uint8Array> {
  // Two passes over the batches: the first finds the place of each record, the second copies the bytes. Neither
  // allocates anything per record.
  const batches: Uint8Array[] = []
  const starts = new Uint32Array(count + 1)
  for await (const { bytes } of queue) {
    batches.push(bytes)
    eachRecord(bytes, (node, from, to) => {
      offsets[node - firstOfSegment + 1] = to - from
      starts[node - firstNode + 1] = to - from
    })
  }
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i]
  const data = new Uint8Array(dataBytes)
  for (const bytes of batches) {
    eachRecord(bytes, (node, from, to) => {
      copyBytes(data, starts[node - firstNode], bytes, from, to)
    })
    buffers.release(bytes)
  }
  return data
}
