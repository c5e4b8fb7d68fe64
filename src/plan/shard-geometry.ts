/** How a build is cut into shards: a function of count and engine, never of memory or threads, so the bytes repeat. */
export interface ShardGeometry {
  readonly shardCount: number
  /** Shards a vector goes to: its home and overlap − 1 replicas. */
  readonly overlap: number
  /** Members per shard on average, home and replicas. */
  readonly shardMembers: number
}

/** `count` vectors in shards of about `aimedMembers`, each vector in `overlap` of them. One shard needs no replicas. */
export function shardGeometry(count: number, overlap: number, aimedMembers: number): ShardGeometry {
  if (count <= aimedMembers) return { shardCount: 1, overlap: 1, shardMembers: count }
  const shardCount = Math.max(2, Math.ceil((count * overlap) / aimedMembers))
  const fanOut = Math.min(overlap, shardCount)
  return { shardCount, overlap: fanOut, shardMembers: Math.ceil((count * fanOut) / shardCount) }
}

/** Code row length: the caller's dimensions, one more for ip's added component, rounded up to a whole SIMD vector. */
export function gridDimensions(dimensions: number, metric: 'l2' | 'cosine' | 'ip'): number {
  const used = metric === 'ip' ? dimensions + 1 : dimensions
  return Math.ceil(used / 8) * 8
}
