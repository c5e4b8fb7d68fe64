/** Sizes of the quantized vectors and the codebook of each quantization. Pure. */
import type { Quantization } from '../../api/report.js'

export type CodeQuantization = Exclude<Quantization, 'f32'>

/** Centroids of a subspace, so that a code is one byte. */
export const PQ_CENTROIDS = 256
/** Target dimensions of a subspace: 16 bytes of f32 become one. */
const PQ_SUBSPACE_DIMENSIONS = 4
/** Rounds of signs and transforms; see kernel/assembly/encode/encode-binary.ts. */
export const BINARY_ROUNDS = 4

/** First dimension of subspace `s`, which ends where the next one begins. */
export function subspaceStart(s: number, subspaces: number, dimensions: number): number {
  return Math.floor((s * dimensions) / subspaces)
}

export interface QuantizedShape {
  readonly quantization: CodeQuantization
  readonly dimensions: number
  /** Bytes of one vector's code. */
  readonly strideBytes: number
  /** 0 when there is no codebook. */
  readonly codebookBytes: number
  /** Bytes of a prepared query. */
  readonly preparedBytes: number
  /** Parts that pq cuts a vector into; 0 otherwise. */
  readonly subspaces: number
}

export function quantizedShape(quantization: CodeQuantization, dimensions: number): QuantizedShape {
  const shape = (strideBytes: number, codebookBytes: number, preparedBytes: number, subspaces = 0): QuantizedShape => ({
    quantization,
    dimensions,
    strideBytes,
    codebookBytes,
    preparedBytes,
    subspaces,
  })
  switch (quantization) {
    case 'f16':
      return shape(2 * dimensions, 0, 0)
    case 'sq8':
      // The padded codes and an f32.
      return shape(4 * Math.ceil(dimensions / 4) + 4, 8 * dimensions, 32 * Math.ceil(dimensions / 16))
    case 'pq': {
      const subspaces = Math.ceil(dimensions / PQ_SUBSPACE_DIMENSIONS)
      return shape(subspaces, 4 * PQ_CENTROIDS * dimensions, 4 * PQ_CENTROIDS * subspaces, subspaces)
    }
    case 'binary': {
      const bytes = 16 * Math.ceil(dimensions / 128)
      return shape(bytes, 4 * dimensions * (1 + BINARY_ROUNDS), bytes + 4 * dimensions)
    }
  }
}
