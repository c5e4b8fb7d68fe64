// LanceDB's IVF_HNSW_SQ: a graph over 8-bit components, with one partition, as its documentation advises for HNSW.
import { readFileSync } from 'node:fs'
import { connect, Index } from '@lancedb/lancedb'
import { Field, FixedSizeList, Float32, Int32, Table, Vector, makeData } from 'apache-arrow'

export const version = JSON.parse(
  readFileSync(new URL('../node_modules/@lancedb/lancedb/package.json', import.meta.url), 'utf8'),
).version
const METRICS = { l2: 'l2', cosine: 'cosine', ip: 'dot' }
/** Bytes of vectors in one table of Arrow, which is copied on its way to the native part. */
const BLOCK_BYTES = 64 * 2 ** 20

/** Rows are written to `out`; the index is made of the written rows. */
export async function open({ dims, metric, m, efConstruction, threads, k, out }) {
  // LanceDB reads it at the first use of its threads.
  process.env.LANCE_CPU_THREADS = String(threads)
  const connection = await connect(out)
  let table
  return {
    threads,
    async add(vectors, count) {
      const blockRows = Math.max(1, Math.floor(BLOCK_BYTES / (4 * dims)))
      for (let from = 0; from < count; from += blockRows) {
        const block = arrowTable(vectors, from, Math.min(from + blockRows, count), dims)
        if (table === undefined) table = await connection.createTable('bench', block)
        else await table.add(block)
      }
      const config = Index.hnswSq({ distanceType: METRICS[metric], numPartitions: 1, m, efConstruction })
      await table.createIndex('vector', { config })
      await table.waitForIndex(['vector_idx'], 3600)
    },
    async save() {
      const { numIndexedRows, numUnindexedRows } = await table.indexStats('vector_idx')
      if (numUnindexedRows > 0) throw new Error(`LanceDB indexed ${numIndexedRows} rows and left ${numUnindexedRows}`)
    },
    searcherAt(ef, queries) {
      const rows = Array.from({ length: queries.count }, (_, i) => queries.vectors.subarray(i * dims, (i + 1) * dims))
      return async () => {
        const found = []
        for (const row of rows) {
          const hits = await table.vectorSearch(row).ef(ef).limit(k).select(['id', '_distance']).toArrow()
          found.push(Array.from(hits.getChild('id')))
        }
        return found
      }
    },
  }
}

function arrowTable(vectors, from, to, dims) {
  const count = to - from
  const components = makeData({ type: new Float32(), data: vectors.subarray(from * dims, to * dims) })
  const type = new FixedSizeList(dims, new Field('item', new Float32(), true))
  const ids = Int32Array.from({ length: count }, (_, i) => from + i)
  return new Table({
    id: new Vector([makeData({ type: new Int32(), data: ids })]),
    vector: new Vector([makeData({ type, length: count, nullCount: 0, child: components })]),
  })
}
