import type { Sample } from './reservoir-sample.js'
import type { Queue } from '../../../spill/queue.js'
import type { ColumnHeader } from '../../rows/record-layout.js'
import type { UniqueIds } from './drop-repeated-ids.js'
import type { CollectedFields } from './field-collector.js'

export interface Ingested {
  readonly queue: Queue<ColumnHeader>
  readonly dimensions: number
  /** Records the source gave; ordinals are below this. */
  readonly ordinalCount: number
  /** Vectors that will be in the index: those in the queue, less the dropped ones. */
  readonly count: number
  readonly skippedInvalid: number
  /** Largest squared norm: ip's R². */
  readonly maxSquaredNorm: number
  /** Returns the sample. Can be called only once, because the sample is large, and only leaders and scale need it. */
  readonly takeSample: () => Sample
  readonly ids: UniqueIds
  /** Only in a build with fields. */
  readonly fields?: CollectedFields
}

/** What later stages keep after the queue is gone. */
export type IngestedFacts = Omit<Ingested, 'queue' | 'takeSample'>
