import hnswlib from 'hnswlib-node'
import { readFileSync } from 'node:fs'

export const version = JSON.parse(
  readFileSync(new URL('../node_modules/hnswlib-node/package.json', import.meta.url), 'utf8'),
).version

/** It has one thread, and adds and searches with arrays only. Those of the queries are made beforehand. */
export function open({ dims, metric, m, efConstruction, k }) {
  const index = new hnswlib.HierarchicalNSW(metric, dims)
  let arrays
  return {
    threads: 1,
    add(vectors, count) {
      index.initIndex(count, m, efConstruction, 100)
      for (let row = 0; row < count; row++) {
        index.addPoint(Array.from(vectors.subarray(row * dims, (row + 1) * dims)), row)
      }
    },
    save: (path) => index.writeIndexSync(path),
    searcherAt(ef, queries) {
      arrays ??= Array.from({ length: queries.count }, (_, i) =>
        Array.from(queries.vectors.subarray(i * dims, (i + 1) * dims)),
      )
      index.setEf(ef)
      return () => arrays.map((query) => index.searchKnn(query, k).neighbors)
    },
  }
}
