import type { SegmentFile } from '../format/segment/segment-file.js'
import type { UpperLevels } from './link-upper-levels.js'
import type { SegmentLayout } from './layer/segment-layout.js'
import type { Proof } from './prove.js'
import type { QuantizedVectors } from './quantize.js'
import type { GraphOrigin } from './report/graph-origin.js'
import type { OpenSegments } from './segments/create-segments.js'
import type { IngestedFacts } from './ingest/ingested.js'

/** An index whose graph is complete: what a build and an import have in common. */
export interface LinkedIndex {
  readonly ingested: IngestedFacts
  readonly nodes: { readonly layout: SegmentLayout; readonly idFiles: readonly SegmentFile[] }
  /** The fields segments, and the files of each field; none without fields. */
  readonly fieldFiles: readonly SegmentFile[]
  readonly vectors: OpenSegments
  readonly links: OpenSegments
  readonly upper: UpperLevels
  /** The number of links of all nodes on level 0. */
  readonly degreeSum: number
  readonly origin: GraphOrigin
}

/** A proven index in the files of its generation, not yet sealed. */
export interface FinishedIndex extends LinkedIndex {
  readonly quantized: QuantizedVectors | undefined
  readonly proof: Proof
}
