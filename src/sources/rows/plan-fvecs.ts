/** fvecs: per row an i32 d, then d float32. */
import type { ByteReader } from '../bytes/byte-reader.js'
import { vecsChunks, vecsLayout } from './vecs-layout.js'
import type { ReadPlan } from '../vector-file.js'

/** @throws InvalidFileError, PathError; see `vecsLayout` and `vecsChunks` */
export async function planFvecs(bytes: ByteReader): Promise<ReadPlan> {
  const layout = await vecsLayout(bytes, 'fvecs', Float32Array.BYTES_PER_ELEMENT)
  const { count, dimensions } = layout
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      for await (const { buffer, rows } of vecsChunks(pass, layout, startAt)) {
        const values = new Float32Array(buffer, 0, rows * (dimensions + 1))
        // Closes the gaps in place: every row moves towards the front, so no second buffer is needed.
        for (let row = 0; row < rows; row++) {
          const from = row * (dimensions + 1) + 1
          values.copyWithin(row * dimensions, from, from + dimensions)
        }
        yield { vectors: values.subarray(0, rows * dimensions), dimensions }
      }
    },
  }
}
