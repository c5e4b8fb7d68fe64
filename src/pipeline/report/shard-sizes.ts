import type { Histogram } from '../../api/report.js'
import { histogramOf } from './histogram.js'
import type { RoutedLayer } from '../layer/layer.js'

/** Few shards need few bars to show how even they are. */
const MOST_BUCKETS = 24

/** How many members, homes and replicas, the shards have. Empty ones, which nothing builds, are left out. */
export function shardSizes({ homeCounts, replicaCounts }: RoutedLayer): Histogram {
  const sizes = Array.from(homeCounts, (homes, shard) => (homes === 0 ? 0 : homes + replicaCounts[shard]))
  return histogramOf(
    sizes.filter((size) => size > 0),
    MOST_BUCKETS,
  )
}
