/** Rows of one type after a header, and nothing else: npy and the fbin family. */
import { InvalidFileError } from '../../errors.js'
import { readExactly } from '../bytes/byte-reader.js'
import type { ValueType } from './value-type.js'
import { rowsPerBatch, type ReadPlan } from '../vector-file.js'

export interface FlatRows {
  readonly count: number
  readonly dimensions: number
  readonly dataOffset: number
  readonly type: ValueType
}

/**
 * Compares the header with the size of the file. `what` names the header's numbers in the message.
 * @throws InvalidFileError with both sizes
 */
export function checkDataLength(path: string, byteLength: number, rows: FlatRows, what: string): void {
  const { count, dimensions, dataOffset, type } = rows
  const bytes = count * dimensions * type.bytes
  const end = dataOffset + bytes
  if (byteLength === end) return
  const difference = byteLength < end ? 'it is truncated' : `it is longer than its ${what} says`
  throw new InvalidFileError(
    path,
    `${difference}: ${what} (${count}, ${dimensions}) needs ${bytes} bytes of data, expected ${end} bytes in all, ` +
      `got ${byteLength}`,
    { offset: Math.min(byteLength, end) },
  )
}

/** Seeks to the first row. Holds one batch, and its bytes when they must be widened. */
export function planFlatRows({ count, dimensions, dataOffset, type }: FlatRows): ReadPlan {
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      const rowsAtOnce = Math.min(count, rowsPerBatch(dimensions))
      const values = new Float32Array(rowsAtOnce * dimensions)
      const raw = type.widen === undefined ? values.buffer : new ArrayBuffer(values.length * type.bytes)
      for (let row = startAt; row < count; row += rowsAtOnce) {
        const vectors = values.subarray(0, Math.min(rowsAtOnce, count - row) * dimensions)
        const bytes = new Uint8Array(raw, 0, vectors.length * type.bytes)
        await readExactly(pass, bytes, dataOffset + row * dimensions * type.bytes)
        type.widen?.(raw, vectors.length, vectors)
        yield { vectors, dimensions }
      }
    },
  }
}
