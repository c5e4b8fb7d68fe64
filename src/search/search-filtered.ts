/**
 * The nearest nodes among those that a filter keeps. The graph is walked as ever, with a beam so wide that enough of what it
 * finds is kept; where that would compare more vectors than there are to keep, all of those are compared instead.
 */
import type { SearchCore } from './core/search-core.js'

export interface NodeFilter {
  keeps(node: number): boolean
  /** How many are kept; an upper bound where nobody has counted. */
  readonly size: number
  /** Whether `size` is exact. */
  readonly counted: boolean
  /** What is kept, ascending. */
  nodes(): Iterable<number>
}

/**
 * Fills `core.nodes` and `core.distances` with the nearest k that the filter keeps; returns how many: less than k only when
 * fewer are kept. The rule: a beam of w compares about w x m vectors. It begins with w = ef x (all / kept) and doubles until k
 * are found; as soon as w x m is more than the kept ones are, they are scanned.
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
    // Of codes, those kept are scored again on their vectors, as an unfiltered search does with its best.
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
