import { readFileSync } from 'node:fs'
import usearch from 'usearch'

export const version = JSON.parse(
  readFileSync(new URL('../node_modules/usearch/package.json', import.meta.url), 'utf8'),
).version
const METRICS = { l2: 'l2sq', cosine: 'cos', ip: 'ip' }

export function open({ dims, metric, m, efConstruction, threads, k }) {
  const create = (ef) =>
    new usearch.Index({
      dimensions: dims,
      metric: METRICS[metric],
      quantization: 'f32',
      connectivity: m,
      expansion_add: efConstruction,
      expansion_search: ef,
      multi: false,
    })
  let index = create(64)
  let saved
  return {
    threads,
    add(vectors, count) {
      index.add(
        BigUint64Array.from({ length: count }, (_, row) => BigInt(row)),
        vectors,
        threads,
      )
    },
    save(path) {
      index.save(path)
      saved = path
    },
    /** The width of the search is fixed when an index is made: one more is loaded from the file for each. */
    searcherAt(ef, queries) {
      index = create(ef)
      index.load(saved)
      return () => {
        const { keys, counts } = index.search(queries.vectors, k, 1)
        return Array.from({ length: queries.count }, (_, i) =>
          Array.from(keys.subarray(i * k, i * k + Number(counts[i])), Number),
        )
      }
    },
  }
}
