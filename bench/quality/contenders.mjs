// Each opens an index of a set and gives { search(vector, k, ef): row numbers, close() }.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const M = 16
const EF_CONSTRUCTION = 200

export const CONTENDERS = {
  balanced: (set) => shardloom(set, { quality: 'balanced' }),
  high: (set) => shardloom(set, { quality: 'high' }),
  auto: (set) => shardloom(set, {}),
  'hnswlib-node': hnswlibNode,
  usearch,
  'hnswlib-wasm': (set) => shardloom(set, { engine: 'hnswlib-wasm' }),
}

async function shardloom({ base, dims, metric }, options) {
  const { buildIndex, openIndex } = await import('../../dist/src/index.js')
  const folder = mkdtempSync(path.join(tmpdir(), 'shardloom-quality-'))
  const batches = [{ vectors: base, dimensions: dims }]
  const report = await buildIndex(batches, { path: folder, metric, m: M, memory: '2GB', ...options })
  const index = await openIndex(folder)
  return {
    proof: report.recallAt10,
    search: (vector, k, ef) => index.search(vector, { k, ef }).map(({ id }) => Number(id)),
    close: async () => {
      await index.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function hnswlibNode({ base, dims, metric }) {
  const { default: hnswlib } = await import('hnswlib-node')
  const index = new hnswlib.HierarchicalNSW(metric, dims)
  const count = base.length / dims
  index.initIndex(count, M, EF_CONSTRUCTION, 100)
  for (let row = 0; row < count; row++) index.addPoint(Array.from(base.subarray(row * dims, (row + 1) * dims)), row)
  return {
    search: (vector, k, ef) => {
      index.setEf(ef)
      return index.searchKnn(Array.from(vector), Math.min(k, count)).neighbors
    },
    close: async () => undefined,
  }
}

async function usearch({ base, dims, metric }) {
  const { Index, MetricKind, ScalarKind } = (await import('usearch')).default
  const kinds = { l2: MetricKind.L2sq, cosine: MetricKind.Cos, ip: MetricKind.IP }
  const count = base.length / dims
  const indexes = new Map()
  // The search width of usearch is fixed when an index is made.
  const at = (ef) => {
    if (!indexes.has(ef)) {
      const index = new Index({
        metric: kinds[metric],
        quantization: ScalarKind.F32,
        dimensions: dims,
        connectivity: M,
        expansion_add: EF_CONSTRUCTION,
        expansion_search: ef,
      })
      index.add(
        BigUint64Array.from({ length: count }, (_, row) => BigInt(row)),
        base,
        1,
      )
      indexes.set(ef, index)
    }
    return indexes.get(ef)
  }
  return {
    search: (vector, k, ef) => Array.from(at(ef).search(vector, Math.min(k, count), 1).keys, Number),
    close: async () => indexes.clear(),
  }
}
