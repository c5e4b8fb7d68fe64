import { SEGMENT_MAX_NODES, segmentAimBytes } from '../../plan/segment-size.js'

/** Which nodes and shards make up each segment. Nodes are numbered shard by shard. */
export interface SegmentLayout {
  /** First node of each segment, then the node count: segments + 1 numbers. */
  readonly starts: Uint32Array
  /** First node of each shard, then the node count: shards + 1 numbers. */
  readonly shardStarts: Uint32Array
}

/**
 * Groups neighbouring shards into segments of about the target size (see segmentAimBytes). A segment contains only
 * whole shards. The layout depends only on counts and dimensions, so files are the same for any memory and number of
 * threads.
 */
export function layOutSegments(homeCounts: ArrayLike<number>, dimensions: number): SegmentLayout {
  const shardStarts = new Uint32Array(homeCounts.length + 1)
  for (let shard = 0; shard < homeCounts.length; shard++)
    shardStarts[shard + 1] = shardStarts[shard] + homeCounts[shard]
  const count = shardStarts[homeCounts.length]
  const aimNodes = Math.min(SEGMENT_MAX_NODES, Math.ceil(segmentAimBytes(count, dimensions) / (4 * dimensions)))
  const starts = [0]
  for (let shard = 0; shard < homeCounts.length; shard++) {
    const open = starts[starts.length - 1]
    // Close the segment before a shard that would overshoot the target by more than stopping here undershoots it.
    const before = shardStarts[shard] - open
    const after = shardStarts[shard + 1] - open
    if (before > 0 && homeCounts[shard] > 0 && after > aimNodes && after - aimNodes > aimNodes - before)
      starts.push(shardStarts[shard])
  }
  starts.push(count)
  return { starts: Uint32Array.from(starts), shardStarts }
}

/** The index of the range of `starts` that contains `node`; empty ranges are skipped. */
export function rangeOf(starts: Uint32Array, node: number): number {
  let low = 0
  let high = starts.length - 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (starts[middle] <= node) low = middle
    else high = middle
  }
  return low
}
