import type { Metric } from '../../api/vectors.js'
import type { EntryPoint } from '../../format/generation/manifest.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'

/** The finished, unpublished graph as its proof tasks get it. */
export interface ProofGraph {
  readonly metric: Metric
  readonly dimensions: number
  readonly count: number
  readonly m: number
  readonly vectors: readonly RowFile[]
  readonly links: readonly RowFile[]
  readonly entryPoint: EntryPoint
  readonly upperLevels: readonly UpperLevel[]
  /** What searches will walk on, where it is not the vectors. */
  readonly codes?: ProofCodes | undefined
}

export interface ProofCodes {
  readonly shape: QuantizedShape
  readonly files: readonly RowFile[]
  /** Empty for a quantization that has none; in shared memory. */
  readonly codebook: Uint8Array
}
