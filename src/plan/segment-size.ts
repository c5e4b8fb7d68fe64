import { SHARD_SKEW } from './shard-geometry.js'
import type { BuildSizes } from './stage-memory.js'

const MIB = 2 ** 20
/** The largest segment. The limit keeps the rows of one merge task within any practical budget. */
export const SEGMENT_MAX_NODES = 65_536
const SEGMENT_MAX_BYTES = 64 * MIB
const SEGMENT_MIN_BYTES = 4 * MIB

/** Target size of a segment in vector bytes: about 16 segments for small builds, 64 MiB at most. */
export function segmentAimBytes(count: number, dimensions: number): number {
  return Math.max(SEGMENT_MIN_BYTES, Math.min(SEGMENT_MAX_BYTES, Math.ceil((count * dimensions * 4) / 16)))
}

/** Most nodes of a segment that a plan has to expect. */
export function segmentNodes({ count, dimensions, vectorBytes }: BuildSizes): number {
  const aimed = Math.max(1, Math.ceil(segmentAimBytes(count, dimensions) / vectorBytes))
  return Math.min(count, SEGMENT_MAX_NODES, aimed * SHARD_SKEW)
}
