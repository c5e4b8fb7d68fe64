import type { SearchCore } from './core/search-core.js'
import type { NodeFilter } from './filter/node-filter.js'
import { enoughOf, widened } from './walk-depth.js'

/** Walks that were not enough cost this share of a scan of all kept vectors at most. */
const MOST_SPENT = 1 / 2

/**
 * Fills `core.nodes` and `core.distances` with the nearest k that the filter keeps; returns how many: less than k only
 * when fewer are kept. The graph is walked with a beam so wide that k of the nodes found are kept: ef x (all / kept) at
 * first, and wider until the nearest k lie in the part of the beam that a walk finds reliably. All kept vectors are
 * compared instead where that is less work: a beam of w compares about w x m / 2 vectors, and a wider one as many for each
 * place as the one before.
 */
export function searchFiltered(
  core: SearchCore,
  query: Float32Array,
  { k, ef, rerank }: { readonly k: number; readonly ef: number; readonly rerank?: number | undefined },
  filter: NodeFilter,
): number {
  const { size } = filter
  const wanted = filter.counted ? Math.min(k, size) : k
  if (wanted === 0) return 0
  const beam = core.beamFor(k, ef, rerank)
  let width = Math.ceil(filter.counted ? (beam.ef * core.count) / size : beam.ef)
  let spent = 0
  let isCheap = (width * core.m) / 2 < size
  while (isCheap) {
    const found = core.walk(query, width)
    const { kept, depth } = keep(core, found, filter, wanted, Math.max(wanted, beam.rerank))
    if (depth <= enoughOf(width, wanted, beam.ef)) {
      // After a walk on quantized vectors, the kept nodes are scored again on their vectors, as in an unfiltered search.
      return beam.rerank === 0 ? kept : core.scan(query, core.nodes.slice(0, kept).sort(), k)
    }
    const { computedDistances } = core
    const wider = widened(width, depth, wanted, beam.ef)
    spent += computedDistances
    isCheap = spent + (computedDistances * wider) / width < MOST_SPENT * size
    width = wider
  }
  return core.scan(query, filter.nodes(), k)
}

interface Kept {
  readonly kept: number
  /** How many of the nodes found the first `wanted` kept ones are among. Infinity when fewer are kept. */
  readonly depth: number
}

/** Moves the first `most` that the filter keeps to the front. */
function keep(core: SearchCore, found: number, filter: NodeFilter, wanted: number, most: number): Kept {
  let kept = 0
  let depth = Infinity
  for (let i = 0; i < found && kept < most; i++) {
    if (!filter.keeps(core.nodes[i])) continue
    core.nodes[kept] = core.nodes[i]
    core.distances[kept] = core.distances[i]
    kept++
    if (kept === wanted) depth = i + 1
  }
  return { kept, depth }
}
