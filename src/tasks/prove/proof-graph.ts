import type { Metric } from '../../api/vectors.js'
import type { EntryPoint } from '../../format/generation/manifest.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'

/** The finished, unpublished graph in the form that proof tasks take. */
export interface ProofGraph {
  readonly metric: Metric
  readonly dimensions: number
  readonly count: number
  readonly m: number
  readonly vectors: readonly RowFile[]
  readonly links: readonly RowFile[]
  readonly entryPoint: EntryPoint
  readonly upperLevels: readonly UpperLevel[]
  /** The codes that searches compare, when they do not compare the vectors. */
  readonly codes?: ProofCodes | undefined
}

export interface ProofCodes {
  readonly shape: QuantizedShape
  readonly files: readonly RowFile[]
  /** In shared memory; empty for a quantization without a codebook. */
  readonly codebook: Uint8Array
}
