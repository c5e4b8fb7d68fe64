import type { Metric } from '../../types.js'
import type { EntryPoint } from '../../format/manifest.js'
import type { UpperLevel } from '../../format/upper.js'
import type { RowFile } from '../../search/file-graph.js'

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
}
