/** Quantizes rows with the kernel, for each quantization as docs/format.md describes it. */
import type { Kernel } from '../../../kernel/kernel.js'
import type { Metric } from '../../api/vectors.js'
import { quantizedShape, PQ_CENTROIDS, type CodeQuantization } from './quantized-shape.js'

/** Buffers in kernel memory for one chunk of rows at a time, valid until the caller releases its mark. */
export interface RowEncoder {
  /** Input: row-major f32. A view of kernel memory for `count` rows. */
  rows(count: number): Uint8Array
  /** Encodes the first `count` rows. Returns the number of components clamped to the range of a code. */
  encode(count: number): number
  /** Output of `encode`. A view of kernel memory. */
  codes(count: number): Uint8Array
}

export interface EncoderShape {
  readonly quantization: CodeQuantization
  readonly metric: Metric
  readonly dimensions: number
  /** Empty for a quantization without a codebook. */
  readonly codebook: Float32Array
  /** Most rows of a chunk. */
  readonly chunkRows: number
}

/** Factor of the squared norm that ends an sq8 code: the part of a distance beside the products. */
const NORM_FACTORS: Readonly<Record<Metric, number>> = { l2: 1, cosine: 0.5, ip: 0 }

export function rowEncoder(kernel: Kernel, shape: EncoderShape): RowEncoder {
  const { quantization, metric, dimensions, codebook, chunkRows } = shape
  const { strideBytes, subspaces } = quantizedShape(quantization, dimensions)
  const { fn } = kernel
  const book = kernel.alloc(codebook.byteLength)
  const scratch = kernel.alloc(4 * Math.max(dimensions, PQ_CENTROIDS))
  const rows = kernel.alloc(4 * chunkRows * dimensions)
  const codes = kernel.alloc(chunkRows * strideBytes)
  kernel.f32(book, codebook.length).set(codebook)
  return {
    rows: (count) => kernel.u8(rows, 4 * count * dimensions),
    codes: (count) => kernel.u8(codes, count * strideBytes),
    encode: (count) => {
      switch (quantization) {
        case 'f16':
          return fn.encodeF16(rows, count, dimensions, codes)
        case 'sq8':
          return fn.encodeSq8(rows, count, dimensions, book, NORM_FACTORS[metric], codes)
        case 'pq':
          fn.encodePq(rows, count, dimensions, book, subspaces, codes, scratch)
          return 0
        case 'binary':
          fn.encodeBinary(rows, count, dimensions, book, codes, scratch)
          return 0
      }
    },
  }
}
