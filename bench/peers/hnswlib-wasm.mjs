// The one Shardloom brings along, loaded as Shardloom loads it: its package does not load in Node.js by itself.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { loadHnswlib } from '../../dist/src/engines/hnswlib-wasm/load-hnswlib.js'

const entry = createRequire(import.meta.url).resolve('hnswlib-wasm/dist/hnswlib-317962d7.js')
export const version = JSON.parse(readFileSync(path.join(path.dirname(entry), '../package.json'), 'utf8')).version

/** Rows handed over at once: the module copies them into its heap, which never shrinks. */
const BLOCK = 1024

/** It has one thread, and no way to bring an index out of its own file system: it is searched where it was built. */
export async function open({ dims, metric, m, efConstruction, k }) {
  const { module } = await loadHnswlib()
  const index = new module.HierarchicalNSW(metric, dims, '')
  let rows
  return {
    threads: 1,
    add(vectors, count) {
      index.initIndex(count, m, efConstruction, 100)
      for (let first = 0; first < count; first += BLOCK) {
        const labels = Array.from({ length: Math.min(BLOCK, count - first) }, (_, i) => first + i)
        const block = labels.map((row) => vectors.subarray(row * dims, (row + 1) * dims))
        index.addPoints(block, labels, false)
      }
    },
    searcherAt(ef, queries) {
      rows ??= Array.from({ length: queries.count }, (_, i) => queries.vectors.subarray(i * dims, (i + 1) * dims))
      index.setEfSearch(ef)
      return () => rows.map((query) => index.searchKnn(query, k, undefined).neighbors)
    },
  }
}
