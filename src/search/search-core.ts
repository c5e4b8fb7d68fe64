/**
 * A whole index in one kernel memory: vectors, links, upper levels, and what a search needs besides. Knows nodes, not
 * ids, and nothing of files: the caller fills `vectorsAt` and `linksAt`, in any order, before the first search.
 *
 * The kernel (kernel/assembly/search.ts) sees all of it through one context block of u32 words, written here once.
 * Whatever comes between a node and its bytes later (pages, codes, a filter) is another context and another kernel
 * function; callers of `search` do not change.
 */
import type { Kernel } from '../../kernel/kernel.js'
import type { UpperLevel } from '../format/upper.js'
import type { Metric } from '../types.js'

export interface SearchCoreShape {
  readonly metric: Metric
  readonly dims: number
  readonly count: number
  readonly m: number
  /** `index`: into the top level's arrays, or the node itself when there are no upper levels. */
  readonly entryPoint: { readonly index: number }
  /** `[0]` is level 1. Copied. */
  readonly upperLevels: readonly UpperLevel[]
  /** Beam width that memory is set aside for; a wider search takes more when it comes. Default 512. */
  readonly maxEf?: number
}

/** SearchContext of kernel/assembly/search.ts: one u32 word each, in order; `bias` is an f32. */
const CONTEXT_FIELDS = [
  'count',
  'dims',
  'vectors',
  'bias',
  'links',
  'linkStride',
  'levelCount',
  'levels',
  'upperStride',
  'entry',
  'visited',
  'epoch',
  'upperVisited',
  'upperEpoch',
  'upperCount',
  'query',
  'beam',
  'ids',
  'distances',
  'computed',
] as const
const BEAM_WORD = CONTEXT_FIELDS.indexOf('beam')
const COMPUTED_WORD = CONTEXT_FIELDS.indexOf('computed')

const LEVEL_TABLE_BYTES = 12
const BEAM_SLOT_BYTES = 8
const DEFAULT_MAX_EF = 512
/** As in kernel/assembly/search.ts. */
export const UPPER_EF = 8
/** Rows begin on cache lines where their length allows it. */
const ALIGN_BYTES = 64
/** The kernel pads a row of links to groups of four. */
const SCRATCH_PADDING = 3

export class SearchCore {
  readonly metric: Metric
  readonly dims: number
  readonly count: number
  /** Results of the last search, nearest first: valid up to its return value, until the next search. */
  nodes = new Uint32Array(0)
  /** In the index's metric: squared l2, 1 − cos, or −ip. */
  distances = new Float32Array(0)

  readonly #kernel: Kernel
  readonly #linkStride: number
  readonly #context: number
  readonly #vectors: number
  readonly #links: number
  readonly #query: number
  #beam = 0
  #beamSlots = 0
  readonly #beamMark: number
  #queryView: Float32Array = new Float32Array(0)
  #beamWords: Uint32Array = new Uint32Array(0)
  #beamFloats: Float32Array = new Float32Array(0)

  /** Bytes of kernel memory that a core of this shape takes. `upperBytes`: of the upper segment's data. */
  static requiredBytes(shape: { count: number; dims: number; m: number; upperBytes: number; maxEf?: number }): number {
    const { count, dims, m, upperBytes, maxEf = DEFAULT_MAX_EF } = shape
    const perNode = 4 * dims + linkStrideBytes(m) + 1
    const upperTags = upperBytes / (4 * (3 + m))
    const scratch = 4 * dims + 8 * (2 * m + SCRATCH_PADDING) + 4 * CONTEXT_FIELDS.length
    const allocations = 16 * ALIGN_BYTES + 64 * 4 * ALIGN_BYTES
    return count * perNode + upperBytes + upperTags + scratch + BEAM_SLOT_BYTES * beamSlots(maxEf, count) + allocations
  }

  /** @throws ShardloomError when the kernel's memory cannot grow as far. */
  constructor(kernel: Kernel, shape: SearchCoreShape) {
    const { metric, dims, count, m, entryPoint, upperLevels, maxEf = DEFAULT_MAX_EF } = shape
    this.#kernel = kernel
    this.metric = metric
    this.dims = dims
    this.count = count
    this.#linkStride = linkStrideBytes(m)
    this.#vectors = kernel.alloc(count * 4 * dims, ALIGN_BYTES)
    this.#links = kernel.alloc(count * this.#linkStride, ALIGN_BYTES)
    this.#query = kernel.alloc(4 * dims, ALIGN_BYTES)
    this.#context = kernel.alloc(4 * CONTEXT_FIELDS.length, ALIGN_BYTES)
    const upperCount = upperLevels[0]?.nodes.length ?? 0
    const values: Record<(typeof CONTEXT_FIELDS)[number], number> = {
      count,
      dims,
      vectors: this.#vectors,
      bias: 0,
      links: this.#links,
      linkStride: this.#linkStride,
      levelCount: upperLevels.length,
      levels: copyLevels(kernel, upperLevels),
      upperStride: 4 * (1 + m),
      entry: entryPoint.index,
      visited: allocZeroed(kernel, count),
      epoch: 0,
      upperVisited: allocZeroed(kernel, upperCount),
      upperEpoch: 0,
      upperCount,
      query: this.#query,
      beam: 0,
      ids: kernel.alloc(4 * (2 * m + SCRATCH_PADDING), ALIGN_BYTES),
      distances: kernel.alloc(4 * (2 * m + SCRATCH_PADDING), ALIGN_BYTES),
      computed: 0,
    }
    kernel.u32(this.#context, CONTEXT_FIELDS.length).set(CONTEXT_FIELDS.map((field) => values[field]))
    kernel.f32(this.#context, CONTEXT_FIELDS.length)[CONTEXT_FIELDS.indexOf('bias')] = distanceBias(metric)
    this.#beamMark = kernel.mark()
    this.#widenBeam(beamSlots(maxEf, count))
  }

  /** The vectors of `count` nodes from `node` on, row-major f32, to be filled. Valid until the kernel allocates. */
  vectorsAt(node: number, count: number): Uint8Array {
    return this.#kernel.u8(this.#vectors + node * 4 * this.dims, count * 4 * this.dims)
  }

  /** The links rows of `count` nodes from `node` on (u32 count, 2m x u32), to be filled. Valid until the kernel allocates. */
  linksAt(node: number, count: number): Uint8Array {
    return this.#kernel.u8(this.#links + node * this.#linkStride, count * this.#linkStride)
  }

  /** Distances that the last search computed. */
  get computedDistances(): number {
    return this.#kernel.u32(this.#context, CONTEXT_FIELDS.length)[COMPUTED_WORD]
  }

  /**
   * The nearest of `query` (`dims` long; unit length for cosine) with a beam of max(k, ef): fills `nodes` and
   * `distances`, ascending, ties by lower node. Returns how many were found: less than k only when fewer are reachable.
   */
  search(query: Float32Array, k: number, ef: number): number {
    const wanted = Math.min(k, this.count)
    const width = Math.min(Math.max(k, ef), this.count)
    if (width === 0) return 0
    if (width > this.#beamSlots) this.#widenBeam(width)
    else if (this.#beamWords.length === 0) this.#refreshViews()
    if (wanted > this.nodes.length) {
      this.nodes = new Uint32Array(wanted)
      this.distances = new Float32Array(wanted)
    }
    this.#queryView.set(query)
    const { fn } = this.#kernel
    const found =
      this.metric === 'l2' ? fn.searchL2(this.#context, wanted, width) : fn.searchDot(this.#context, wanted, width)
    for (let i = 0; i < found; i++) {
      this.nodes[i] = this.#beamWords[2 * i]
      this.distances[i] = this.#beamFloats[2 * i + 1]
    }
    return found
  }

  /** The beam is the last allocation, so that it can be taken again, wider, in the same place. */
  #widenBeam(slots: number): void {
    if (this.#beamSlots > 0 && this.#kernel.mark() === this.#beamEnd()) this.#kernel.release(this.#beamMark)
    this.#beam = this.#kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)
    this.#beamSlots = slots
    this.#kernel.u32(this.#context, CONTEXT_FIELDS.length)[BEAM_WORD] = this.#beam
    this.#refreshViews()
  }

  #beamEnd(): number {
    return this.#beam + BEAM_SLOT_BYTES * this.#beamSlots
  }

  /** Growth of the memory, by whoever else allocates in it, leaves views of length 0. */
  #refreshViews(): void {
    this.#queryView = this.#kernel.f32(this.#query, this.dims)
    this.#beamWords = this.#kernel.u32(this.#beam, 2 * this.#beamSlots)
    this.#beamFloats = this.#kernel.f32(this.#beam, 2 * this.#beamSlots)
  }
}

/** Distances are squared l2, or bias − dot. */
export function distanceBias(metric: Metric): number {
  return metric === 'cosine' ? 1 : 0
}

/** Never fewer than the beam on levels ≥ 1 takes. */
function beamSlots(ef: number, count: number): number {
  return Math.max(UPPER_EF, Math.min(ef, count))
}

function linkStrideBytes(m: number): number {
  return 4 * (2 * m + 1)
}

function allocZeroed(kernel: Kernel, bytes: number): number {
  const at = kernel.alloc(bytes, ALIGN_BYTES)
  kernel.u8(at, bytes).fill(0)
  return at
}

function copyLevels(kernel: Kernel, levels: readonly UpperLevel[]): number {
  const table = kernel.alloc(LEVEL_TABLE_BYTES * levels.length, ALIGN_BYTES)
  levels.forEach(({ nodes, down, links }, i) => {
    const pointers = [nodes, down, links].map((words) => {
      const at = kernel.alloc(words.byteLength, ALIGN_BYTES)
      kernel.u32(at, words.length).set(words)
      return at
    })
    kernel.u32(table + LEVEL_TABLE_BYTES * i, 3).set(pointers)
  })
  return table
}
