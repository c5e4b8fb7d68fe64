import { readFileSync } from 'node:fs'
import {
  ZVecCollectionSchema,
  ZVecCreateAndOpen,
  ZVecDataType,
  ZVecIndexType,
  ZVecInitialize,
  ZVecMetricType,
} from '@zvec/zvec'

export const version = JSON.parse(
  readFileSync(new URL('../node_modules/@zvec/zvec/package.json', import.meta.url), 'utf8'),
).version
const METRICS = { l2: ZVecMetricType.L2, cosine: ZVecMetricType.COSINE, ip: ZVecMetricType.IP }
/** Documents of one insert: it takes 1,024 at most. */
const INSERT_ROWS = 1000

/** A collection is written to `out` while documents are inserted; `optimize` makes its graph. */
export function open({ dims, metric, m, efConstruction, threads, k, out }) {
  ZVecInitialize({ queryThreads: 1, optimizeThreads: threads })
  const schema = new ZVecCollectionSchema({
    name: 'bench',
    vectors: {
      name: 'vector',
      dataType: ZVecDataType.VECTOR_FP32,
      dimension: dims,
      indexParams: { indexType: ZVecIndexType.HNSW, metricType: METRICS[metric], m, efConstruction },
    },
  })
  const collection = ZVecCreateAndOpen(out, schema)
  return {
    threads,
    add(vectors, count) {
      for (let from = 0; from < count; from += INSERT_ROWS) {
        const documents = Array.from({ length: Math.min(INSERT_ROWS, count - from) }, (_, i) => ({
          id: String(from + i),
          vectors: { vector: vectors.subarray((from + i) * dims, (from + i + 1) * dims) },
        }))
        const failed = collection.insertSync(documents).find(({ ok }) => !ok)
        if (failed !== undefined) throw new Error(`zvec refused a document: ${failed.message}`)
      }
      collection.optimizeSync({ concurrency: threads })
    },
    /** It is in its folder already; graph completeness is what there is to check. */
    save() {
      const { vector } = collection.stats.indexCompleteness
      if (vector !== 1) throw new Error(`zvec made a graph of ${vector} of the documents`)
    },
    searcherAt(ef, queries) {
      const params = { indexType: ZVecIndexType.HNSW, ef }
      const rows = rowsOf(queries, dims)
      return () =>
        rows.map((vector) =>
          collection
            .querySync({ fieldName: 'vector', vector, topk: k, outputFields: [], params })
            .map(({ id }) => Number(id)),
        )
    },
  }
}

function rowsOf({ vectors, count }, dims) {
  return Array.from({ length: count }, (_, i) => vectors.subarray(i * dims, (i + 1) * dims))
}
