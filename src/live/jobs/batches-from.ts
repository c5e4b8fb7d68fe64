import type { GivenBatch } from '../../api/vectors.js'
import type { FieldRows } from '../../fields/field-rows.js'
import type { AliveBatch } from './read-alive.js'

type Rows = Pick<AliveBatch, 'ids' | 'vectors' | 'fields'>

/** A batch whose fields are encoded: within this package a source may give such. */
export function encodedBatch(batch: GivenBatch, fields: FieldRows | undefined): GivenBatch {
  return fields === undefined ? batch : { ...batch, fields: fields as unknown as NonNullable<GivenBatch['fields']> }
}

/** Batches without the first `startAt` rows: what a source that can be read again gives. */
export async function* batchesFrom(
  startAt: number,
  batches: AsyncIterable<Rows>,
  dimensions: number,
): AsyncGenerator<GivenBatch, void, void> {
  let skip = startAt
  for await (const { ids, vectors, fields } of batches) {
    const skipped = Math.min(skip, ids.length)
    skip -= skipped
    if (skipped === ids.length) continue
    const rows = { ids: ids.slice(skipped), vectors: vectors.subarray(skipped * dimensions), dimensions }
    yield encodedBatch(rows, fields?.slice(skipped, ids.length))
  }
}
