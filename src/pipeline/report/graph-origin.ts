import type { BuildReport, Histogram } from '../../api/report.js'
import type { ChosenQuality } from '../choose-quality.js'
import type { Routed } from '../route.js'
import { shardSizes } from './shard-sizes.js'

/** How the graph was made, for the report. */
export interface GraphOrigin {
  readonly chosen: ChosenQuality | { readonly quality: 'imported'; readonly trialRecall: undefined }
  readonly shardCount: number
  readonly splitShards: number
  /** Absent where there are no shards. */
  readonly shardSizes?: Histogram
  /** The program that linked the vectors, when it was not the engine of the options. */
  readonly linkedBy?: BuildReport['engine']
}

export function graphOrigin(routed: Routed): GraphOrigin {
  const { chosen, shardCount, splitShards } = routed
  return { chosen, shardCount, splitShards, shardSizes: shardSizes(routed) }
}
