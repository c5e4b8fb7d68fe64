/** What one generation is: the content of manifest.json, the only file that names the others. */
import type { BuildReport, Quantization } from '../../api/report.js'
import type { Metric } from '../../api/vectors.js'
import type { SegmentFile } from '../segment/segment-file.js'

export const FORMAT_VERSION = 1
export const MANIFEST_NAME = 'manifest.json'

export interface EntryPoint {
  readonly node: number
  /** The top level; 0 when there is no upper level. */
  readonly level: number
  /** Its index in the top level's arrays; the node itself when there is no upper level. */
  readonly index: number
}

export interface Manifest {
  readonly formatVersion: typeof FORMAT_VERSION
  /** Name of the generation's folder. */
  readonly generation: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly metric: Metric
  readonly dimensions: number
  /** What a search compares: the vectors (f32), or codes that lie beside them. f32 where the file does not say. */
  readonly quantization: Quantization
  /** Vectors in the index. */
  readonly count: number
  /** Links per node on levels ≥ 1; level 0 holds up to 2m. */
  readonly m: number
  readonly seed: number
  /** What built it. A reader does not care: any engine's graph is searched alike. */
  readonly engine: string
  readonly entryPoint: EntryPoint
  /** Upper levels. */
  readonly levels: number
  /** Each kind in the order of its nodes. */
  readonly segments: readonly SegmentFile[]
  readonly report: BuildReport
}
