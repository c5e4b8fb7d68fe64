/** bvecs: per row an i32 d, then d unsigned bytes. */
import type { ByteReader } from './byte-reader.js'
import { ROW_PREFIX_BYTES, vecsChunks, vecsLayout } from './vecs-rows.js'
import { rowsPerBatch, type ReadPlan } from './vector-file.js'

/** @throws InvalidFileError, PathError; see `vecsLayout` and `vecsChunks` */
export async function planBvecs(bytes: ByteReader): Promise<ReadPlan> {
  const layout = await vecsLayout(bytes, 'bvecs', Uint8Array.BYTES_PER_ELEMENT)
  const { count, dimensions } = layout
  return {
    count,
    dimensions,
    async *batches(pass) {
      const values = new Float32Array(Math.min(count, rowsPerBatch(dimensions)) * dimensions)
      for await (const chunk of vecsChunks(pass, layout)) {
        let from = 0
        let to = 0
        for (let row = 0; row < chunk.rows; row++) {
          from += ROW_PREFIX_BYTES
          for (let i = 0; i < dimensions; i++) values[to++] = chunk.bytes[from++]
        }
        yield { vectors: values.subarray(0, to), dimensions }
      }
    },
  }
}
