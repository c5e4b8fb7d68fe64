import type { SearchCore } from './core/search-core.js'
import type { NodeFilter } from './node-filter.js'

/**
 * Fills `core.nodes` and `core.distances` with the nearest k that the filter keeps; returns how many: less than k only
 * when fewer are kept. The graph is walked with a beam wide enough that k of the nodes found are kept: w = ef x (all /
 * kept) at first, doubled until k are found. A beam of w compares about w x m vectors; when that is more than the
 * filter keeps, all kept vectors are compared instead.
 */
export function searchFiltered(
  core: SearchCore,
  query: Float32Array,
  { k, ef, rerank }: { readonly k: number; readonly ef: number; readonly rerank?: number | undefined },
  filter: NodeFilter,
): number {
  const wanted = filter.counted ? Math.min(k, filter.size) : k
  if (wanted === 0) return 0
  const share = filter.counted ? filter.size / core.count : 1
  const beam = core.beamFor(k, ef, rerank)
  for (let width = Math.ceil(beam.ef / share); width * core.m < filter.size; width *= 2) {
    const found = core.walk(query, width)
    const kept = keep(core, found, filter, Math.max(k, beam.rerank))
    if (kept < wanted) continue
    // After a walk on quantized vectors, the kept nodes are scored again on their vectors, as in an unfiltered search.
    return beam.rerank === 0 ? kept : core.scan(query, core.nodes.slice(0, kept).sort(), k)
  }
  return core.scan(query, filter.nodes(), k)
}

/** Moves the first k that the filter keeps to the front. */
function keep(core: SearchCore, found: number, filter: NodeFilter, k: number): number {
  let kept = 0
  for (let i = 0; i < found && kept < k; i++) {
    if (!filter.keeps(core.nodes[i])) continue
    core.nodes[kept] = core.nodes[i]
    core.distances[kept] = core.distances[i]
    kept++
  }
  return kept
}
