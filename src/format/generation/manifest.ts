/** The content of manifest.json, which describes one generation and is the only file that names the others. */
import type { BuildReport, Quantization } from '../../api/report.js'
import type { Metric } from '../../api/vectors.js'
import type { Field } from '../../fields/field.js'
import type { SegmentFile } from '../segment/segment-file.js'

export const FORMAT_VERSION = 1
export const MANIFEST_NAME = 'manifest.json'
/** A segment takes about 200 bytes, and so does an event of the report. */
export const MAX_MANIFEST_BYTES = 8 * 2 ** 20

export interface EntryPoint {
  readonly node: number
  /** The top level; 0 when there is no upper level. */
  readonly level: number
  /** The node's index in the top level's arrays; the node itself when there is no upper level. */
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
  /** What a search compares: the vectors (f32), or codes stored beside them. f32 when the file has no such field. */
  readonly quantization: Quantization
  /** Vectors in the index. */
  readonly count: number
  /**
   * Different hashes in the id table of an index where ids may repeat: as many as there are ids, but for collisions in 64
   * bits. Absent when every vector has an id of its own.
   */
  readonly distinctIds?: number
  /** Links per node on levels ≥ 1; level 0 holds up to 2m. */
  readonly m: number
  readonly seed: number
  /** The engine that built the index. Readers do not use it: every engine's graph is searched in the same way. */
  readonly engine: string
  readonly entryPoint: EntryPoint
  /** Number of upper levels. */
  readonly levels: number
  /**
   * The last of the changes in `live/` that the generation contains, or replaces: those after it stay on top. Absent
   * when nothing was ever changed between two builds.
   */
  readonly liveSequence?: number
  /** The fields of records, in the order of their bytes. Absent in an index without fields. */
  readonly fields?: readonly Field[]
  /** The segments of each kind are in the order of their nodes. */
  readonly segments: readonly SegmentFile[]
  readonly report: BuildReport
}
