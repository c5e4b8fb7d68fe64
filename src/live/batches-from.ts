import type { GivenBatch } from '../api/vectors.js'
import type { AliveBatch } from './read-alive.js'

type Rows = Pick<AliveBatch, 'ids' | 'vectors'>

/** Batches without the first `startAt` rows: what a source that can be read again gives. */
export async function* batchesFrom(
  startAt: number,
  batches: AsyncIterable<Rows>,
  dimensions: number,
): AsyncGenerator<GivenBatch, void, void> {
  let skip = startAt
  for await (const { ids, vectors } of batches) {
    const skipped = Math.min(skip, ids.length)
    skip -= skipped
    if (skipped === ids.length) continue
    yield { ids: ids.slice(skipped), vectors: vectors.subarray(skipped * dimensions), dimensions }
  }
}
