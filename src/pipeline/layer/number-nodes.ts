import { NO_NODE, type NumberedLayer, type RoutedLayer } from './layer.js'
import { layOutSegments } from './segment-layout.js'

/**
 * Numbers the nodes shard by shard, within a shard by ordinal, so that near vectors have near numbers: home counts →
 * prefix sums → node numbers. Turns `homeOfOrdinal` into `nodeOfOrdinal` in place: 4 bytes a vector in all.
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
