import type { Histogram } from '../../api/report.js'
import { histogramOf } from './histogram.js'
import type { RoutedLayer } from '../layer/layer.js'

/** A few bars are enough to show how even few shards are. */
const MOST_BUCKETS = 24

/** Histogram of the members, homes and replicas, of each shard. Empty shards are not built, and are left out. */
export function shardSizes({ homeCounts, replicaCounts }: RoutedLayer): Histogram {
  const sizes = Array.from(homeCounts, (homes, shard) => (homes === 0 ? 0 : homes + replicaCounts[shard]))
  return histogramOf(
    sizes.filter((size) => size > 0),
    MOST_BUCKETS,
  )
}
