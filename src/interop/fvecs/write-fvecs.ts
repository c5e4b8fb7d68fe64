/** fvecs: for each vector its dimensions as i32, then its components as f32. */
import type { ExportPass } from '../export-pass.js'
import { NodeRows } from '../../rows/stored-graph.js'

export async function writeFvecs(pass: ExportPass): Promise<void> {
  const { count, dimensions } = pass.graph.manifest
  const rows = new NodeRows(pass.graph, 'vectors')
  const recordBytes = 4 + rows.strideBytes
  pass.totalBytes = count * recordBytes
  try {
    for (const run of pass.runs(recordBytes)) {
      const vectors = await rows.next(run)
      const records = await pass.out.claim(run * recordBytes)
      for (let i = 0; i < run; i++) {
        records.writeInt32LE(dimensions, i * recordBytes)
        records.set(vectors.subarray(i * rows.strideBytes, (i + 1) * rows.strideBytes), i * recordBytes + 4)
      }
    }
  } finally {
    await rows.close()
  }
}
