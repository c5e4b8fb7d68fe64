/** Reads the ids or the field rows of one segment as bytes, front to back, run by run. */
import { CorruptIndexError } from '../../errors.js'
import type { SegmentReader } from './segment-reader.js'

/** Records of adjacent nodes. */
export interface RecordRun {
  readonly firstNode: number
  readonly count: number
  /** All records, one after another. */
  readonly bytes: Buffer
  /** Where each begins in `bytes`, and where the last one ends. */
  readonly offsets: Uint32Array
  /** The record of node `firstNode + i`: a view that is valid until the next run. */
  bytesOf(i: number): Buffer
}

/** Most records read at once; fewer when they are long. */
const BATCH_RECORDS = 16_384
const BATCH_BLOB_BYTES = 4 * 2 ** 20

/** Every record of the segment, once. @throws CorruptIndexError when they do not fill the blob one after the other */
export async function* recordRuns(reader: SegmentReader): AsyncGenerator<RecordRun, void, void> {
  const { path, header } = reader
  const { count, firstNode, dataBytes } = header
  const blobAt = 4 * (count + 1)
  const what = header.kind === 'ids' ? 'id' : 'field row'
  if (dataBytes < blobAt) throw new CorruptIndexError(path, `${dataBytes} bytes cannot hold ${count} ${what}s`)
  let previousEnd = 0
  for (let first = 0; first < count; first += BATCH_RECORDS) {
    const records = Math.min(BATCH_RECORDS, count - first)
    const offsets = new Uint32Array(records + 1)
    await reader.read(4 * first, new Uint8Array(offsets.buffer))
    checkOffsets(offsets, { what, first, previousEnd, blobBytes: dataBytes - blobAt, path })
    previousEnd = offsets[records]
    for (const { from, to } of batches(offsets)) {
      const blob = Buffer.allocUnsafe(offsets[to] - offsets[from])
      await reader.read(blobAt + offsets[from], blob)
      const starts = offsets.slice(from, to + 1)
      for (let i = starts.length - 1; i >= 0; i--) starts[i] -= starts[0]
      yield {
        firstNode: firstNode + first + from,
        count: to - from,
        bytes: blob,
        offsets: starts,
        bytesOf: (i) => blob.subarray(starts[i], starts[i + 1]),
      }
    }
  }
  if (blobAt + previousEnd !== dataBytes) {
    throw new CorruptIndexError(path, `the ${what}s end at blob byte ${previousEnd} of ${dataBytes - blobAt}`)
  }
}

function checkOffsets(
  offsets: Uint32Array,
  at: { what: string; first: number; previousEnd: number; blobBytes: number; path: string },
): void {
  const { what, first, previousEnd, blobBytes, path } = at
  if (offsets[0] !== previousEnd)
    throw new CorruptIndexError(path, `${what} ${first} begins at blob byte ${offsets[0]}`)
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i] <= offsets[i - 1] || offsets[i] > blobBytes) {
      throw new CorruptIndexError(
        path,
        `${what} ${first + i - 1} lies at blob bytes ${offsets[i - 1]} to ${offsets[i]}`,
      )
    }
  }
}

/** Runs of records whose bytes fit a batch; a longer record has a separate run. */
function* batches(offsets: Uint32Array): Generator<{ from: number; to: number }> {
  const count = offsets.length - 1
  for (let from = 0, to = 0; from < count; from = to) {
    to = from + 1
    while (to < count && offsets[to + 1] - offsets[from] <= BATCH_BLOB_BYTES) to++
    yield { from, to }
  }
}
