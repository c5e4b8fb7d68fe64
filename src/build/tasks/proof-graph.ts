import type { Metric } from '../../types.js'
import type { EntryPoint } from '../../format/manifest.js'
import type { UpperLevel } from '../../format/upper.js'
import type { CodeShape } from '../../format/code-shape.js'
import type { RowFile } from '../../search/file-rows.js'

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
  readonly shape: CodeShape
  readonly files: readonly RowFile[]
  /** Empty for a storage that has none; in shared memory. */
  readonly codebook: Uint8Array
}
