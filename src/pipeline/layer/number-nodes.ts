import { NO_NODE, type NumberedLayer, type RoutedLayer } from './layer.js'
import { layOutSegments } from './segment-layout.js'

/**
 * Numbers the nodes shard by shard, and by ordinal within a shard, so that near vectors have near numbers. Prefix sums
 * of the home counts give the first number of each shard. Replaces `homeOfOrdinal` by `nodeOfOrdinal` in place: 4 bytes
 * per vector in all.
 */
export function numberNodes(routed: RoutedLayer): NumberedLayer {
  const layout = layOutSegments(routed.homeCounts, routed.layer.spec.dimensions)
  const next = layout.shardStarts.slice(0, routed.shardCount)
  const nodeOfOrdinal = routed.homeOfOrdinal
  for (let ordinal = 0; ordinal < nodeOfOrdinal.length; ordinal++) {
    const shard = nodeOfOrdinal[ordinal]
    if (shard !== NO_NODE) nodeOfOrdinal[ordinal] = next[shard]++
  }
  return { layout, nodeOfOrdinal }
}
