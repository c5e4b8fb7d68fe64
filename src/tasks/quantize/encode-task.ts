import type { Kernel } from '../../../kernel/kernel.js'
import type { CodeQuantization } from '../../format/graph/quantized-shape.js'
import { rowEncoder } from '../../format/graph/row-encoder.js'
import { PartWriter } from '../../format/segment/part-writer.js'
import { type PartChecksums } from '../../format/segment/segment-checksums.js'
import { ENCODE_CHUNK_BYTES } from '../../plan/plan-build.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { Metric } from '../../api/vectors.js'
import { openRows } from '../../rows/open-rows.js'

/** The compact codes of all vectors of one segment. */
export interface EncodeTask {
  readonly quantization: CodeQuantization
  readonly metric: Metric
  readonly dimensions: number
  readonly vectors: RowFile
  /** Empty for a quantization that has none. */
  readonly codebook: Float32Array
  /** The codes segment; its nodes are those of `vectors`. */
  readonly path: string
}

export interface EncodeResult {
  readonly checksums: PartChecksums
  /** Components that lay beyond what a code can say, and got the nearest that it can. */
  readonly clamped: number
}

export function encodeSegment(kernel: Kernel, task: EncodeTask): EncodeResult {
  const { dimensions, vectors, path } = task
  const chunkRows = Math.min(vectors.count, Math.max(1, Math.floor(ENCODE_CHUNK_BYTES / (4 * dimensions))))
  const encoder = rowEncoder(kernel, { ...task, chunkRows })
  let clamped = 0
  const file = openRows(vectors, 4 * dimensions)
  try {
    const writer = new PartWriter(path, 0)
    try {
      for (let done = 0; done < vectors.count; done += chunkRows) {
        const count = Math.min(chunkRows, vectors.count - done)
        file.read(vectors.firstNode + done, encoder.rows(count))
        clamped += encoder.encode(count)
        writer.write(encoder.codes(count))
      }
      return { checksums: writer.finish(), clamped }
    } finally {
      writer.close()
    }
  } finally {
    file.close()
  }
}
