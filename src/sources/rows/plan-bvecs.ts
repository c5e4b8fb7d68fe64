/** bvecs: per row an i32 d, then d unsigned bytes. */
import type { ByteReader } from '../bytes/byte-reader.js'
import { ROW_PREFIX_BYTES, vecsChunks, vecsLayout, type VecsChunk } from './vecs-layout.js'
import { rowsPerBatch, type ReadPlan } from '../vector-file.js'

/** @throws InvalidFileError, PathError; see `vecsLayout` and `vecsChunks` */
export async function planBvecs(bytes: ByteReader): Promise<ReadPlan> {
  const layout = await vecsLayout(bytes, 'bvecs', Uint8Array.BYTES_PER_ELEMENT)
  const { count, dimensions } = layout
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      const values = new Float32Array(Math.min(count, rowsPerBatch(dimensions)) * dimensions)
      for await (const chunk of vecsChunks(pass, layout, startAt)) {
        widenRows(chunk, dimensions, values)
        yield { vectors: values.subarray(0, chunk.rows * dimensions), dimensions }
      }
    },
  }
}

/** Row by row with `set`: reading SIFT takes a quarter of the time of a loop over the values. */
function widenRows({ bytes, rows }: VecsChunk, dimensions: number, values: Float32Array): void {
  let from = ROW_PREFIX_BYTES
  for (let row = 0; row < rows; row++) {
    values.set(bytes.subarray(from, from + dimensions), row * dimensions)
    from += ROW_PREFIX_BYTES + dimensions
  }
}
