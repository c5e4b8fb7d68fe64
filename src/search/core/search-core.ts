/**
 * An index in one kernel memory: rows, upper levels, and what a search needs besides. Knows nodes, not ids, and nothing of
 * files. Either the caller fills `vectorsAt` and `linksAt`, in any order, before the first search; or it gives sources of
 * rows (`paged`), which are read page by page as searches come to them.
 *
 * The kernel (kernel/assembly/search/search.ts) sees all of it through one context block, written here once. With codes the walk
 * goes by these, and the best of it are scored again on the vectors: another table of rows in the same context, so that
 * callers of `search` do not change.
 */
import type { Kernel } from '../../../kernel/kernel.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { Metric } from '../../api/vectors.js'
import { CoreRows, type PagedRows, type RowsShape } from './core-rows.js'
import { defaultRerank } from '../default-rerank.js'
import {
  CONTEXT_BYTES,
  CONTEXT_FIELDS,
  contextWord,
  metricNumber,
  setContext,
  TABLE_BYTES,
  type ContextField,
} from './search-context.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'

export interface SearchCoreShape {
  readonly metric: Metric
  readonly dims: number
  readonly count: number
  readonly m: number
  /** `index`: into the top level's arrays, or the node itself when there are no upper levels. */
  readonly entryPoint: { readonly index: number }
  /** `[0]` is level 1. Copied; what is stored is read at the first search. */
  readonly upperLevels: readonly UpperLevel[] | StoredLevels
  /** Beam width that memory is set aside for; a wider search takes more when it comes. Default 512. */
  readonly maxEf?: number
  /** Rows to read when a search comes to them, and bytes of kernel memory to hold them in. */
  readonly paged?: PagedRows
  /** Codes to walk on, which `paged` then reads. */
  readonly codes?: Codes | undefined
}

/** Upper levels to be read when they are wanted. */
export interface StoredLevels {
  readonly bytes: number
  /** Reads them into kernel memory of that many bytes; the result is views of it. */
  read(into: Uint8Array): readonly UpperLevel[]
}

export interface Codes {
  readonly shape: QuantizedShape
  /** `codebookBytes` of the shape; a function is called at the first search. */
  readonly codebook: Uint8Array | (() => Uint8Array)
}

/** Addresses in the kernel's memory of what one thread searches with. */
export interface ThreadContext {
  readonly context: number
  readonly query: number
  readonly beam: number
  readonly slots: number
}

/** 1 <= k <= ef, both at most the count. `rerank`: how many are scored again; 0 without codes. */
export interface Beam {
  readonly k: number
  readonly ef: number
  readonly rerank: number
}

const LEVEL_TABLE_BYTES = 12
const BEAM_SLOT_BYTES = 8
const DEFAULT_MAX_EF = 512
/** As in kernel/assembly/search/search.ts. */
export const UPPER_EF = 8
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
  readonly #rows: CoreRows
  readonly #codes: QuantizedShape | undefined
  #codebook: Codes['codebook'] | undefined
  readonly #context: number
  #upperLevels: StoredLevels | undefined
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
  static requiredBytes(shape: RowsShape & { upperBytes: number; maxEf?: number }): number {
    const { count, dims, m, codes, upperBytes, maxEf = DEFAULT_MAX_EF } = shape
    const upperTags = upperBytes / (4 * (3 + m))
    const query = 4 * dims + (codes === undefined ? 0 : codes.codebookBytes + codes.preparedBytes)
    const scratch = 12 * (2 * m + SCRATCH_PADDING) + CONTEXT_BYTES + 3 * TABLE_BYTES
    const allocations = 24 * ALIGN_BYTES + 64 * 4 * ALIGN_BYTES
    const beam = BEAM_SLOT_BYTES * beamSlots(maxEf, count)
    return CoreRows.allBytes(shape) + count + upperBytes + upperTags + query + scratch + beam + allocations
  }

  /** @throws ShardloomError when the kernel's memory cannot grow as far. */
  constructor(kernel: Kernel, shape: SearchCoreShape) {
    const { metric, dims, count, m, entryPoint, upperLevels, maxEf = DEFAULT_MAX_EF, paged, codes } = shape
    this.#kernel = kernel
    this.metric = metric
    this.dims = dims
    this.count = count
    this.#m = m
    this.#codes = codes?.shape
    this.#codebook = codes?.codebook
    this.#rows = new CoreRows(kernel, { count, dims, m, metric, codes: codes?.shape }, paged)
    this.#query = kernel.alloc(4 * dims, ALIGN_BYTES)
    this.#context = kernel.alloc(CONTEXT_BYTES, ALIGN_BYTES)
    const scratchBytes = 4 * (2 * m + SCRATCH_PADDING)
    const values: Record<ContextField, number> = {
      count,
      dimensions: dims,
      metric: metricNumber(metric),
      walked: this.#rows.walked,
      exact: this.#rows.exact,
      links: this.#rows.links,
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
      codebook: kernel.alloc(codes?.shape.codebookBytes ?? 0, ALIGN_BYTES),
      prepared: kernel.alloc(codes?.shape.preparedBytes ?? 0, ALIGN_BYTES),
      preparedScale: 0,
      preparedBias: 0,
      beam: 0,
      ids: kernel.alloc(scratchBytes, ALIGN_BYTES),
      distances: kernel.alloc(scratchBytes, ALIGN_BYTES),
      addresses: kernel.alloc(scratchBytes, ALIGN_BYTES),
      computed: 0,
    }
    setContext(kernel, this.#context, values)
    this.#scratch = { ids: values.ids, distances: values.distances }
    if ('read' in upperLevels) this.#upperLevels = upperLevels
    else this.#setUpperLevels(copyLevels(kernel, upperLevels))
    this.#beamMark = kernel.mark()
    this.#widenBeam(beamSlots(maxEf, count))
  }

  /** The vectors of `count` nodes from `node` on, row-major f32, to be filled. Valid until the kernel allocates. */
  vectorsAt(node: number, count: number): Uint8Array {
    return this.#rows.rowsAt('vectors', node, count)
  }

  /** The links rows of `count` nodes from `node` on (u32 count, 2m x u32), to be filled. Valid until the kernel allocates. */
  linksAt(node: number, count: number): Uint8Array {
    return this.#rows.rowsAt('links', node, count)
  }

  /** The codes of `count` nodes from `node` on, to be filled. Valid until the kernel allocates. */
  codesAt(node: number, count: number): Uint8Array {
    return this.#rows.rowsAt('codes', node, count)
  }

  /** Links of a node on levels ≥ 1; twice as many at level 0. */
  get m(): number {
    return this.#m
  }

  /** Distances that the last search computed. */
  get computedDistances(): number {
    return contextWord(this.#kernel, this.#context, 'computed')
  }

  /** Pages that searches had read so far; 0 without paging. */
  get pageReads(): number {
    return this.#rows.pageReads
  }

  /** For a paged core with room for all rows, which somebody filled. */
  markComplete(): void {
    this.#rows.markComplete()
  }

  /** Rows and upper levels are all here: threads may search them. */
  get complete(): boolean {
    return this.#upperLevels === undefined && this.#codebook === undefined && this.#rows.complete
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
    const context = kernel.alloc(CONTEXT_BYTES, ALIGN_BYTES)
    const [query, beam] = [kernel.alloc(4 * dims, ALIGN_BYTES), kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)]
    const [ids, distances, addresses] = [1, 2, 3].map(() => kernel.alloc(scratchBytes, ALIGN_BYTES))
    const prepared = kernel.alloc(this.#codes?.preparedBytes ?? 0, ALIGN_BYTES)
    const visited = allocZeroed(kernel, this.count)
    const upperVisited = allocZeroed(kernel, contextWord(kernel, this.#context, 'upperCount'))
    kernel.u32(context, CONTEXT_FIELDS.length).set(kernel.u32(this.#context, CONTEXT_FIELDS.length))
    const own = { query, prepared, beam, ids, distances, addresses, visited, upperVisited, epoch: 0, upperEpoch: 0 }
    setContext(kernel, context, own)
    return { context, query, beam, slots }
  }

  /** Bytes of kernel memory that a `threadContext` takes. */
  static threadBytes({ count, dims, m, codes, width }: RowsShape & { readonly width: number }): number {
    const scratch = 12 * (2 * m + SCRATCH_PADDING) + CONTEXT_BYTES + 9 * ALIGN_BYTES
    const query = 4 * dims + (codes?.preparedBytes ?? 0)
    return Math.ceil(count * (1 + 1 / m)) + query + BEAM_SLOT_BYTES * beamSlots(width, count) + scratch
  }

  /** For `Kernel.over` in another thread. */
  get memory(): WebAssembly.Memory {
    return this.#kernel.memory
  }

  /**
   * The nearest of `query` (`dims` long; unit length for cosine) with a beam of max(k, ef): fills `nodes` and
   * `distances`, ascending, ties by lower node. Returns how many were found: less than k only when fewer are reachable.
   * Where the walk goes by codes, the best `rerank` (k at least) are scored again on their vectors.
   */
  search(query: Float32Array, k: number, ef: number, rerank?: number): number {
    return this.#search(query, this.beamFor(k, ef, rerank))
  }

  /** As `search`, by the codes alone, where there are any. */
  walk(query: Float32Array, width: number): number {
    const wanted = Math.min(width, this.count)
    return this.#search(query, { k: wanted, ef: wanted, rerank: 0 })
  }

  /** What the kernel is asked for: a beam that is wide enough for all that is wanted, and no wider than the index. */
  beamFor(k: number, ef: number, rerank?: number): Beam {
    const scored = this.#codes === undefined ? 0 : Math.max(k, rerank ?? defaultRerank(this.#codes.quantization, k, ef))
    return {
      k: Math.min(k, this.count),
      ef: Math.min(Math.max(k, ef, scored), this.count),
      rerank: scored,
    }
  }

  #search(query: Float32Array, { k: wanted, ef: width, rerank }: Beam): number {
    if (width === 0) return 0
    this.loadUpperLevels()
    if (width > this.#beamSlots) this.#widenBeam(width)
    else if (this.#beamWords.length === 0) this.#refreshViews()
    if (wanted > this.nodes.length) {
      this.nodes = new Uint32Array(wanted)
      this.distances = new Float32Array(wanted)
    }
    this.#queryView.set(query)
    this.#rows.loadOnDemand()
    const found = this.#kernel.fn.search(this.#context, wanted, width, rerank)
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
    this.#rows.loadOnDemand()
    this.#kernel.fn.searchScan(this.#context, chunk.length)
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
    this.#rows.readVector(node, row)
    return new Float32Array(row.buffer)
  }

  /** Reads the codebook and the upper levels, if they were not given, now and not at the first search. */
  loadUpperLevels(): void {
    this.#loadCodebook()
    if (this.#upperLevels === undefined) return
    const kernel = this.#kernel
    const { bytes } = this.#upperLevels
    // The beam gives way: it stays the last allocation.
    const slots = this.#beamSlots
    if (kernel.mark() === this.#beamEnd()) kernel.release(this.#beamMark)
    const mark = kernel.mark()
    try {
      this.#setUpperLevels(this.#upperLevels.read(kernel.u8(kernel.alloc(bytes, ALIGN_BYTES), bytes)))
      this.#upperLevels = undefined
    } catch (error) {
      kernel.release(mark)
      throw error
    } finally {
      this.#beamMark = kernel.mark()
      this.#beamSlots = 0
      this.#widenBeam(slots)
    }
  }

  #loadCodebook(): void {
    if (this.#codebook === undefined) return
    const bytes = typeof this.#codebook === 'function' ? this.#codebook() : this.#codebook
    this.#kernel.u8(contextWord(this.#kernel, this.#context, 'codebook'), bytes.length).set(bytes)
    this.#codebook = undefined
  }

  /** `levels` lie in the kernel's memory. */
  #setUpperLevels(levels: readonly UpperLevel[]): void {
    const upperCount = levels[0]?.nodes.length ?? 0
    setContext(this.#kernel, this.#context, {
      levelCount: levels.length,
      levels: levelTable(this.#kernel, levels),
      upperStride: 4 * (1 + this.#m),
      upperVisited: allocZeroed(this.#kernel, upperCount),
      upperCount,
    })
  }

  /** The beam is the last allocation, so that it can be taken again, wider, in the same place. */
  #widenBeam(slots: number): void {
    if (this.#beamSlots > 0 && this.#kernel.mark() === this.#beamEnd()) this.#kernel.release(this.#beamMark)
    this.#beam = this.#kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)
    this.#beamSlots = slots
    setContext(this.#kernel, this.#context, { beam: this.#beam })
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

function allocZeroed(kernel: Kernel, bytes: number): number {
  const at = kernel.alloc(bytes, ALIGN_BYTES)
  kernel.u8(at, bytes).fill(0)
  return at
}

/** Copies of the levels in the kernel's memory. */
function copyLevels(kernel: Kernel, levels: readonly UpperLevel[]): UpperLevel[] {
  const words = (length: number): number => kernel.alloc(4 * length, ALIGN_BYTES)
  const places = levels.map(({ nodes, down, links }) => [words(nodes.length), words(down.length), words(links.length)])
  return levels.map((level, i) => {
    const [nodes, down, links] = [level.nodes, level.down, level.links].map((from, part) => {
      const copy = kernel.u32(places[i][part], from.length)
      copy.set(from)
      return copy
    })
    return { nodes, down, links }
  })
}

function levelTable(kernel: Kernel, levels: readonly UpperLevel[]): number {
  const addresses = levels.flatMap(({ nodes, down, links }) =>
    [nodes, down, links].map((part) => kernel.addressOf(part)),
  )
  const table = kernel.alloc(LEVEL_TABLE_BYTES * levels.length, ALIGN_BYTES)
  kernel.u32(table, addresses.length).set(addresses)
  return table
}
