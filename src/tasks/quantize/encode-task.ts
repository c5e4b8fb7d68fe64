import type { Kernel } from '../../../kernel/kernel.js'
import type { CodeQuantization } from '../../format/graph/quantized-shape.js'
import { rowEncoder } from '../../format/graph/row-encoder.js'
import { PartWriter, PART_BUFFER_BYTES } from '../../format/segment/part-writer.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { Metric } from '../../api/vectors.js'
import { openRows } from '../../rows/open-rows.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { BuildSizes } from '../../plan/stage-memory.js'
import type { PartChecksums } from '../../format/segment/segment-checksums.js'

/** The compact codes of all vectors of one segment. */
export interface EncodeTask {
  readonly quantization: CodeQuantization
  readonly metric: Metric
  readonly dimensions: number
  readonly vectors: RowFile
  /** Empty for a quantization without a codebook. */
  readonly codebook: Float32Array
  /** The codes segment; its nodes are those of `vectors`. */
  readonly path: string
}

export interface EncodeResult {
  readonly checksums: PartChecksums
  /** Components outside the range of a code, which got the nearest value in it. */
  readonly clamped: number
}

export function encodeSegment(kernel: Kernel, task: EncodeTask): EncodeResult {
  const { dimensions, vectors, path } = task
  const chunkRows = chunkRowsOf({ count: vectors.count, dimensions })
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

/** Bytes of vectors that are encoded at a time. */
const ENCODE_CHUNK_BYTES = 4 * 2 ** 20

function chunkRowsOf({ count, dimensions }: { readonly count: number; readonly dimensions: number }): number {
  return Math.min(count, Math.max(1, Math.floor(ENCODE_CHUNK_BYTES / (4 * dimensions))))
}

/** The codebook, a chunk of vectors and codes, and the buffer of the file that is written. */
export function encodeTaskBytes(sizes: BuildSizes, { strideBytes, codebookBytes }: QuantizedShape): number {
  const { dimensions } = sizes
  return codebookBytes + chunkRowsOf(sizes) * (4 * dimensions + strideBytes) + 4 * dimensions + PART_BUFFER_BYTES
}
