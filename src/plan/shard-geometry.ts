/**
 * How a build is divided into shards. It depends on count and engine, never on memory or threads, so the bytes repeat.
 */
export interface ShardGeometry {
  readonly shardCount: number
  /** Shards a vector goes to: its home and overlap − 1 replicas. */
  readonly overlap: number
  /** Members per shard on average, home and replicas. */
  readonly shardMembers: number
}

/** What the plan needs to know about an engine. */
export interface EngineFacts {
  readonly overlap: number
  readonly shardMembers: number
  /** Peak bytes of building one shard, beyond its grid rows. */
  workerBytes(members: number, gridDims: number, m: number): number
}

/**
 * The ratio of the largest to the average shard that the plan allows for. Measured on SIFT 100k and WordNet 20k: 1.26
 * and 1.17.
 */
export const SHARD_SKEW = 1.5

/** `count` vectors in shards of about `aimedMembers`, each vector in `overlap` of them. One shard needs no replicas. */
export function shardGeometry(count: number, overlap: number, aimedMembers: number): ShardGeometry {
  if (count <= aimedMembers) return { shardCount: 1, overlap: 1, shardMembers: count }
  const shardCount = Math.max(2, Math.ceil((count * overlap) / aimedMembers))
  const fanOut = Math.min(overlap, shardCount)
  return { shardCount, overlap: fanOut, shardMembers: Math.ceil((count * fanOut) / shardCount) }
}

/** Members of the largest shard that the plan has room for. Routing splits larger ones. */
export function shardMemberLimit({ shardMembers }: Pick<ShardGeometry, 'shardMembers'>): number {
  return Math.ceil(shardMembers * SHARD_SKEW)
}

/** Components of a grid row: the dimensions, one more for ip's added component, rounded up to a whole SIMD vector. */
export function gridDimensions(dimensions: number, metric: 'l2' | 'cosine' | 'ip'): number {
  const used = metric === 'ip' ? dimensions + 1 : dimensions
  return Math.ceil(used / 8) * 8
}
