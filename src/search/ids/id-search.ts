import type { Id } from '../../api/vectors.js'
import type { SearchCore } from '../core/search-core.js'
import type { AskedBeam } from '../live/part.js'
import type { NodeFilter } from '../filter/node-filter.js'
import { enoughOf } from '../walk-depth.js'
import { BestIds, type FoundId } from './best-ids.js'

export interface IdSource {
  idOf(node: number): Id
}

/** An index where ids may repeat. */
export interface RepeatedIds {
  readonly core: SearchCore
  readonly ids: IdSource
  /** Different ids at most. */
  readonly distinctIds: number
}

/** Nodes that k ids may take of a walk of the first width: with more, the walk is as careful as one for fewer. */
const DEPTH = 2

/**
 * One search for the k nearest ids, each by its nearest vector. The caller walks the graph with a beam of `width` and
 * gives what it found to `take`, until that says it is enough; where `isScan`, all vectors are compared instead.
 *
 * Vectors of one id take places of the beam. So a walk is repeated with a wider one until it has k ids, and until they
 * lie as deep in what it found as k ids of one vector each would, or twice that; with a filter, also where the walk has
 * looked at all there is.
 */
export class IdSearch {
  readonly #index: RepeatedIds
  readonly #filter: NodeFilter | undefined
  readonly #k: number
  readonly #ef: number
  readonly #rerank: number
  readonly #firstWidth: number
  readonly #size: number
  #width: number

  constructor(index: RepeatedIds, { k, ef, rerank }: AskedBeam, filter?: NodeFilter) {
    const { core } = index
    this.#index = index
    this.#filter = filter
    this.#k = Math.min(k, index.distinctIds)
    const beam = core.beamFor(this.#k, ef, rerank)
    this.#ef = beam.ef
    this.#rerank = beam.rerank
    this.#size = filter?.size ?? core.count
    const share = filter?.counted === true ? filter.size / core.count : 1
    this.#firstWidth = share === 0 ? Infinity : Math.ceil(beam.ef / share)
    this.#width = this.#firstWidth
  }

  get width(): number {
    return this.#width
  }

  /** Whether a walk would compare more vectors than there are. */
  get isScan(): boolean {
    return this.#width * this.#index.core.m >= this.#size
  }

  /**
   * What a walk of `width` found, nearest first: by quantized vectors where there are such. Undefined when it is too
   * little: `width` is larger then.
   */
  take(query: Float32Array, nodes: Uint32Array, distances: Float32Array): readonly FoundId[] | undefined {
    const { ids } = this.#index
    const best = new BestIds(Math.max(this.#k, this.#rerank))
    const kept: number[] = []
    // How many kept nodes, and how many nodes at all, have the first k ids.
    let [depth, rank] = [Infinity, Infinity]
    for (let i = 0; i < nodes.length && !best.isFull; i++) {
      if (this.#filter?.keeps(nodes[i]) === false) continue
      kept.push(nodes[i])
      best.add(ids.idOf(nodes[i]), nodes[i], distances[i])
      if (best.found.length === this.#k && depth === Infinity) [depth, rank] = [kept.length, i + 1]
    }
    const most = (DEPTH * this.#k * this.#width) / this.#firstWidth
    const enough = this.#filter === undefined ? Infinity : enoughOf(this.#width, this.#k, this.#ef)
    if (depth > most || rank > enough) {
      const needed = depth === Infinity ? (kept.length * this.#k) / best.found.length : depth
      const forRank = rank === Infinity ? 0 : (rank * this.#width) / enough
      this.#widen(Math.max((needed * this.#firstWidth) / (DEPTH * this.#k), forRank))
      return undefined
    }
    if (this.#rerank === 0) return best.found
    // After a walk on quantized vectors these are scored again on their vectors, as in any search.
    return nearestIds(this.#index, query, Uint32Array.from(kept).sort(), this.#k)
  }

  /** Compares all that the filter keeps. */
  scan(query: Float32Array): readonly FoundId[] {
    return nearestIds(this.#index, query, this.#filter?.nodes() ?? upTo(this.#index.core.count), this.#k)
  }

  /** To a power of two times the first one, so that searches which need about as much need the same. */
  #widen(needed: number): void {
    const factor = Math.ceil(Math.log2(needed / this.#firstWidth))
    const enough = this.#firstWidth * 2 ** (Number.isFinite(factor) ? factor : 0)
    this.#width = Math.max(2 * this.#width, enough)
  }
}

/** @throws CorruptIndexError */
export function searchIds(
  index: RepeatedIds,
  query: Float32Array,
  asked: AskedBeam,
  filter?: NodeFilter,
): readonly FoundId[] {
  const { core } = index
  if (filter?.size === 0) return []
  const search = new IdSearch(index, asked, filter)
  while (!search.isScan) {
    const found = core.walk(query, search.width)
    const hits = search.take(query, core.nodes.subarray(0, found), core.distances)
    if (hits !== undefined) return hits
  }
  return search.scan(query)
}

/** The k nearest ids among nodes, every one of which is compared. */
function nearestIds(
  { core, ids }: RepeatedIds,
  query: Float32Array,
  nodes: Iterable<number>,
  k: number,
): readonly FoundId[] {
  const best = new BestIds(k)
  core.compare(query, nodes, (node, distance) => {
    if (distance < best.worst) best.add(ids.idOf(node), node, distance)
  })
  return best.found
}

function* upTo(count: number): Generator<number> {
  for (let node = 0; node < count; node++) yield node
}
