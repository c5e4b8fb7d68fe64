/**
 * An index in one kernel memory: vectors, links, upper levels, and what a search needs besides. Knows nodes, not
 * ids, and nothing of files. Either the caller fills `vectorsAt` and `linksAt`, in any order, before the first search; or
 * it gives sources of rows (`paged`), which are read page by page as searches come to them.
 *
 * The kernel (kernel/assembly/search.ts) sees all of it through one context block of u32 words, written here once.
 * Whatever comes between a node and its bytes later (codes, a filter) is another context and another kernel
 * function; callers of `search` do not change.
 */
import type { Kernel } from '../../kernel/kernel.js'
import type { UpperLevel } from '../format/upper.js'
import type { Metric } from '../types.js'
import { PageTable, pageShape, pageTableBytes, type RowSource } from './page-table.js'

export interface SearchCoreShape {
  readonly metric: Metric
  readonly dims: number
  readonly count: number
  readonly m: number
  /** `index`: into the top level's arrays, or the node itself when there are no upper levels. */
  readonly entryPoint: { readonly index: number }
  /** `[0]` is level 1. Copied; a function is called at the first search. */
  readonly upperLevels: readonly UpperLevel[] | (() => readonly UpperLevel[])
  /** Beam width that memory is set aside for; a wider search takes more when it comes. Default 512. */
  readonly maxEf?: number
  /** Rows to read when a search comes to them, and bytes of kernel memory to hold them in. */
  readonly paged?: PagedRows
}

export interface PagedRows {
  readonly vectors: RowSource
  readonly links: RowSource
  readonly cacheBytes: number
}

/** Addresses in the kernel's memory of what one thread searches with. */
export interface ThreadContext {
  readonly context: number
  readonly query: number
  readonly beam: number
  readonly slots: number
}

/** Kinds of pages, as in the kernel. */
const VECTORS = 0

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
  'rows',
  'computed',
  'vectorPages',
  'vectorUsed',
  'vectorShift',
  'linkPages',
  'linkUsed',
  'linkShift',
] as const
type ContextField = (typeof CONTEXT_FIELDS)[number]

const LEVEL_TABLE_BYTES = 12
const BEAM_SLOT_BYTES = 8
const DEFAULT_MAX_EF = 512
/** As in kernel/assembly/search.ts. */
export const UPPER_EF = 8
/** Rows begin on cache lines where their length allows it. */
const ALIGN_BYTES = 64
/** The kernel pads a row of links by a group of four. */
const SCRATCH_PADDING = 4

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
  readonly #pages: { readonly vectors: PageTable; readonly links: PageTable } | undefined
  #upperLevels: (() => readonly UpperLevel[]) | undefined
  readonly #m: number
  readonly #query: number
  readonly #scratch: { readonly ids: number; readonly distances: number }
  #beam = 0
  #beamSlots = 0
  #beamMark: number
  #queryView: Float32Array = new Float32Array(0)
  #beamWords: Uint32Array = new Uint32Array(0)
  #beamFloats: Float32Array = new Float32Array(0)

  /** Bytes of kernel memory that a core of this shape takes. `upperBytes`: of the upper segment's data. */
  static requiredBytes(shape: { count: number; dims: number; m: number; upperBytes: number; maxEf?: number }): number {
    const { count, dims, m, upperBytes, maxEf = DEFAULT_MAX_EF } = shape
    const perNode = 4 * dims + linkStrideBytes(m) + 1
    const upperTags = upperBytes / (4 * (3 + m))
    const scratch = 4 * dims + 12 * (2 * m + SCRATCH_PADDING) + 4 * CONTEXT_FIELDS.length
    const allocations = 20 * ALIGN_BYTES + 64 * 4 * ALIGN_BYTES
    return count * perNode + upperBytes + upperTags + scratch + BEAM_SLOT_BYTES * beamSlots(maxEf, count) + allocations
  }

  /** Bytes that paging takes besides the pages. */
  static tableBytes({ count, dims, m }: { count: number; dims: number; m: number }): number {
    const strides = [4 * dims, linkStrideBytes(m)]
    return strides.reduce((sum, strideBytes) => sum + pageTableBytes(pageShape({ count, strideBytes }, 0)), 0)
  }

  /** Bytes of pages below which one expansion would not find room. */
  static leastPageBytes({ dims, m }: { dims: number; m: number }): number {
    const count = 2 ** 32
    const least = leastPages(m) * pageShape({ count, strideBytes: 4 * dims }, 0).pageBytes
    return least + pageShape({ count, strideBytes: linkStrideBytes(m) }, 0).pageBytes
  }

  /** @throws ShardloomError when the kernel's memory cannot grow as far. */
  constructor(kernel: Kernel, shape: SearchCoreShape) {
    const { metric, dims, count, m, entryPoint, upperLevels, maxEf = DEFAULT_MAX_EF, paged } = shape
    this.#kernel = kernel
    this.metric = metric
    this.dims = dims
    this.count = count
    this.#m = m
    this.#linkStride = linkStrideBytes(m)
    this.#pages = paged && openPages(kernel, paged, leastPages(m))
    this.#vectors = this.#pages?.vectors.base ?? kernel.alloc(count * 4 * dims, ALIGN_BYTES)
    this.#links = this.#pages?.links.base ?? kernel.alloc(count * this.#linkStride, ALIGN_BYTES)
    this.#query = kernel.alloc(4 * dims, ALIGN_BYTES)
    this.#context = kernel.alloc(4 * CONTEXT_FIELDS.length, ALIGN_BYTES)
    const values: Record<ContextField, number> = {
      count,
      dims,
      vectors: this.#vectors,
      bias: 0,
      links: this.#links,
      linkStride: this.#linkStride,
      levelCount: 0,
      levels: 0,
      upperStride: 4 * (1 + m),
      entry: entryPoint.index,
      visited: allocZeroed(kernel, count),
      epoch: 0,
      upperVisited: 0,
      upperEpoch: 0,
      upperCount: 0,
      query: this.#query,
      beam: 0,
      ids: kernel.alloc(4 * (2 * m + SCRATCH_PADDING), ALIGN_BYTES),
      distances: kernel.alloc(4 * (2 * m + SCRATCH_PADDING), ALIGN_BYTES),
      rows: kernel.alloc(4 * (2 * m + SCRATCH_PADDING), ALIGN_BYTES),
      computed: 0,
      vectorPages: this.#pages?.vectors.pagesAt ?? 0,
      vectorUsed: this.#pages?.vectors.usedAt ?? 0,
      vectorShift: this.#pages?.vectors.shift ?? 0,
      linkPages: this.#pages?.links.pagesAt ?? 0,
      linkUsed: this.#pages?.links.usedAt ?? 0,
      linkShift: this.#pages?.links.shift ?? 0,
    }
    this.#setContext(values)
    this.#scratch = { ids: values.ids, distances: values.distances }
    kernel.f32(this.#context, CONTEXT_FIELDS.length)[CONTEXT_FIELDS.indexOf('bias')] = distanceBias(metric)
    if (typeof upperLevels === 'function') this.#upperLevels = upperLevels
    else this.#copyUpperLevels(upperLevels)
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

  /** Links of a node on levels ≥ 1; twice as many at level 0. */
  get m(): number {
    return this.#m
  }

  /** Distances that the last search computed. */
  get computedDistances(): number {
    return this.#kernel.u32(this.#context, CONTEXT_FIELDS.length)[CONTEXT_FIELDS.indexOf('computed')]
  }

  /** Pages that searches had read so far; 0 without paging. */
  get pageReads(): number {
    return this.#pages === undefined ? 0 : this.#pages.vectors.reads + this.#pages.links.reads
  }

  /** For a paged core with room for all rows, whose `vectorsAt` and `linksAt` somebody filled. */
  markComplete(): void {
    this.#pages?.vectors.markComplete()
    this.#pages?.links.markComplete()
  }

  /** Rows and upper levels are all here: threads may search them. */
  get complete(): boolean {
    if (this.#upperLevels !== undefined) return false
    return this.#pages === undefined || (this.#pages.vectors.complete && this.#pages.links.complete)
  }

  /**
   * What one more thread needs to search the same rows: a context, marks, a beam for `width` and scratch of its own.
   * For a core that is complete, in a kernel whose memory is shared.
   */
  threadContext(width: number): ThreadContext {
    if (!this.complete) throw new Error('threads search only a core that has all its rows')
    const kernel = this.#kernel
    const { dims } = this
    const slots = beamSlots(width, this.count)
    const scratchBytes = 4 * (2 * this.#m + SCRATCH_PADDING)
    const context = kernel.alloc(4 * CONTEXT_FIELDS.length, ALIGN_BYTES)
    const [query, beam] = [kernel.alloc(4 * dims, ALIGN_BYTES), kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)]
    const [ids, distances, rows] = [1, 2, 3].map(() => kernel.alloc(scratchBytes, ALIGN_BYTES))
    const words = kernel.u32(this.#context, CONTEXT_FIELDS.length)
    const upperCount = words[CONTEXT_FIELDS.indexOf('upperCount')]
    const visited = allocZeroed(kernel, this.count)
    const upperVisited = allocZeroed(kernel, upperCount)
    kernel.u32(context, CONTEXT_FIELDS.length).set(kernel.u32(this.#context, CONTEXT_FIELDS.length))
    this.#setContext({ query, beam, ids, distances, rows, visited, upperVisited, epoch: 0, upperEpoch: 0 }, context)
    return { context, query, beam, slots }
  }

  /** Bytes of kernel memory that a `threadContext` takes. */
  static threadBytes({ count, dims, m, width }: { count: number; dims: number; m: number; width: number }): number {
    const scratch = 12 * (2 * m + SCRATCH_PADDING) + 4 * CONTEXT_FIELDS.length + 8 * ALIGN_BYTES
    return Math.ceil(count * (1 + 1 / m)) + 4 * dims + BEAM_SLOT_BYTES * beamSlots(width, count) + scratch
  }

  /** For `Kernel.over` in another thread. */
  get memory(): WebAssembly.Memory {
    return this.#kernel.memory
  }

  /**
   * The nearest of `query` (`dims` long; unit length for cosine) with a beam of max(k, ef): fills `nodes` and
   * `distances`, ascending, ties by lower node. Returns how many were found: less than k only when fewer are reachable.
   */
  search(query: Float32Array, k: number, ef: number): number {
    const wanted = Math.min(k, this.count)
    const width = Math.min(Math.max(k, ef), this.count)
    if (width === 0) return 0
    this.loadUpperLevels()
    if (width > this.#beamSlots) this.#widenBeam(width)
    else if (this.#beamWords.length === 0) this.#refreshViews()
    if (wanted > this.nodes.length) {
      this.nodes = new Uint32Array(wanted)
      this.distances = new Float32Array(wanted)
    }
    this.#queryView.set(query)
    const found = this.#searchKernel(wanted, width)
    for (let i = 0; i < found; i++) {
      this.nodes[i] = this.#beamWords[2 * i]
      this.distances[i] = this.#beamFloats[2 * i + 1]
    }
    return found
  }

  /**
   * The nearest k of the nodes given, which ascend, by comparing every one: fills `nodes` and `distances` as `search`
   * does. Returns how many.
   */
  scan(query: Float32Array, nodes: Iterable<number>, k: number): number {
    this.#queryView = this.#kernel.f32(this.#query, this.dims)
    this.#queryView.set(query)
    const room = Math.min(k, this.count)
    if (room > this.nodes.length) {
      this.nodes = new Uint32Array(room)
      this.distances = new Float32Array(room)
    }
    const chunk = new Uint32Array(2 * this.#m)
    let [pending, found] = [0, 0]
    for (const node of nodes) {
      chunk[pending++] = node
      if (pending < chunk.length) continue
      found = this.#scanChunk(chunk, found, room)
      pending = 0
    }
    return pending === 0 ? found : this.#scanChunk(chunk.subarray(0, pending), found, room)
  }

  #scanChunk(chunk: Uint32Array, foundBefore: number, room: number): number {
    const { ids, distances } = this.#scratch
    this.#kernel.u32(ids, chunk.length).set(chunk)
    const paged = this.#loadOnDemand() ? 1 : 0
    this.#kernel.fn.searchScan(this.#context, chunk.length, this.metric === 'l2' ? 1 : 0, paged)
    const computed = this.#kernel.f32(distances, chunk.length)
    let found = foundBefore
    for (let i = 0; i < chunk.length; i++) {
      const distance = Number.isNaN(computed[i]) ? Infinity : computed[i]
      if (found === room && distance >= this.distances[found - 1]) continue
      // Behind those that are as near: their nodes are lower.
      let at = found < room ? found++ : found - 1
      for (; at > 0 && this.distances[at - 1] > distance; at--) {
        this.nodes[at] = this.nodes[at - 1]
        this.distances[at] = this.distances[at - 1]
      }
      this.nodes[at] = chunk[i]
      this.distances[at] = distance
    }
    return found
  }

  /** The stored vector of a node: a copy; of unit length for cosine. */
  vectorOf(node: number): Float32Array {
    const row = new Uint8Array(4 * this.dims)
    if (this.#pages === undefined) row.set(this.vectorsAt(node, 1))
    else this.#pages.vectors.readRow(node, row)
    return new Float32Array(row.buffer)
  }

  /** False when everything is here. Otherwise the kernel may ask for pages now. */
  #loadOnDemand(): boolean {
    if (this.#pages === undefined) return false
    const { vectors, links } = this.#pages
    if (vectors.complete && links.complete) return false
    this.#kernel.onMissingPage = (_, kind, page) => (kind === VECTORS ? vectors : links).load(page)
    return true
  }

  #searchKernel(wanted: number, width: number): number {
    const { fn } = this.#kernel
    const l2 = this.metric === 'l2'
    if (!this.#loadOnDemand()) {
      return l2 ? fn.searchL2(this.#context, wanted, width) : fn.searchDot(this.#context, wanted, width)
    }
    return l2 ? fn.searchPagedL2(this.#context, wanted, width) : fn.searchPagedDot(this.#context, wanted, width)
  }

  /** Reads the upper levels, if they come from a function, now and not at the first search. */
  loadUpperLevels(): void {
    if (this.#upperLevels === undefined) return
    const levels = this.#upperLevels()
    // The beam gives way: it stays the last allocation.
    const slots = this.#beamSlots
    if (this.#kernel.mark() === this.#beamEnd()) this.#kernel.release(this.#beamMark)
    this.#copyUpperLevels(levels)
    this.#beamMark = this.#kernel.mark()
    this.#beamSlots = 0
    this.#widenBeam(slots)
    this.#upperLevels = undefined
  }

  #copyUpperLevels(levels: readonly UpperLevel[]): void {
    const upperCount = levels[0]?.nodes.length ?? 0
    this.#setContext({
      levelCount: levels.length,
      levels: copyLevels(this.#kernel, levels),
      upperStride: 4 * (1 + this.#m),
      upperVisited: allocZeroed(this.#kernel, upperCount),
      upperCount,
    })
  }

  #setContext(values: Partial<Record<ContextField, number>>, context = this.#context): void {
    const words = this.#kernel.u32(context, CONTEXT_FIELDS.length)
    for (const [at, field] of CONTEXT_FIELDS.entries()) {
      const value = values[field]
      if (value !== undefined) words[at] = value
    }
  }

  /** The beam is the last allocation, so that it can be taken again, wider, in the same place. */
  #widenBeam(slots: number): void {
    if (this.#beamSlots > 0 && this.#kernel.mark() === this.#beamEnd()) this.#kernel.release(this.#beamMark)
    this.#beam = this.#kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)
    this.#beamSlots = slots
    this.#setContext({ beam: this.#beam })
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

/** Rows of one expansion, twice: see gatherPages of the kernel. */
function leastPages(m: number): number {
  return 2 * (2 * m + 1)
}

/** The cache is shared out by the bytes that there are of each kind, but for the least that a search needs. */
function openPages(
  kernel: Kernel,
  { vectors, links, cacheBytes }: PagedRows,
  least: number,
): { vectors: PageTable; links: PageTable } {
  const vectorBytes = vectors.count * vectors.strideBytes
  const linkBytes = links.count * links.strideBytes
  if (cacheBytes >= vectorBytes + linkBytes) {
    return { vectors: new PageTable(kernel, vectors, vectorBytes), links: new PageTable(kernel, links, linkBytes) }
  }
  const share = Math.floor(cacheBytes * (linkBytes / (vectorBytes + linkBytes)))
  const leastVectors = least * pageShape(vectors, 0).pageBytes
  return {
    vectors: new PageTable(kernel, vectors, Math.max(leastVectors, cacheBytes - share)),
    links: new PageTable(kernel, links, Math.max(pageShape(links, 0).pageBytes, share)),
  }
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
