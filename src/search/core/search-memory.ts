/**
 * Everything that searches of one index use, in one kernel memory: rows, upper levels, a codebook, a beam, and the
 * context block that leads the kernel (kernel/assembly/search/search.ts) to them. Knows nodes, not ids, and nothing of
 * files.
 */
import type { Kernel } from '../../../kernel/kernel.js'
import type { Metric } from '../../api/vectors.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'
import { CoreRows, type PagedRows } from './core-rows.js'
import { FarSearch } from './far/far-search.js'
import { copyLevels, levelTable } from './level-table.js'
import { allRowBytes, type RowsShape } from './row-layout.js'
import {
  ALIGN_BYTES,
  BEAM_SLOT_BYTES,
  beamSlots,
  CONTEXT_BYTES,
  contextWord,
  metricNumber,
  scratchBytes,
  setContext,
  TABLE_BYTES,
  type ContextField,
} from './search-context.js'
import type { StoredLevels } from './stored-levels.js'

export interface SearchShape {
  readonly metric: Metric
  readonly dimensions: number
  readonly count: number
  readonly m: number
  /** `index`: into the top level's arrays, or the node itself when there are no upper levels. */
  readonly entryPoint: { readonly index: number }
  /** `[0]` is level 1. Copied now; stored levels are read at the first search. */
  readonly upperLevels: readonly UpperLevel[] | StoredLevels
  /** Beam width that memory is set aside for; a wider search takes more when it comes. Default 512. */
  readonly maxEf?: number
  /**
   * Sources of rows, read page by page as searches need them. Absent: the caller fills the rows before the first
   * search.
   */
  readonly paged?: PagedRows
  /** Quantized vectors to walk on; `paged` reads their rows. */
  readonly codes?: Codes | undefined
}

export interface Codes {
  readonly shape: QuantizedShape
  /** `codebookBytes` of the shape; a function is called at the first search. */
  readonly codebook: Uint8Array | (() => Uint8Array)
}

const DEFAULT_MAX_EF = 512

export class SearchMemory {
  readonly kernel: Kernel
  readonly metric: Metric
  readonly dimensions: number
  readonly count: number
  /** Links of a node on levels ≥ 1; twice as many at level 0. */
  readonly m: number
  /** Undefined when the graph is walked on the vectors. */
  readonly quantized: QuantizedShape | undefined
  readonly rows: CoreRows
  /** Address of the context block. */
  readonly context: number
  /** Addresses of room for 2m nodes and for the distances to them. */
  readonly scratch: { readonly ids: number; readonly distances: number }
  #codebook: Codes['codebook'] | undefined
  #storedLevels: StoredLevels | undefined
  readonly #far: FarSearch | undefined
  readonly #query: number
  #beam = 0
  #beamSlots = 0
  #beamMark: number
  #queryView: Float32Array = new Float32Array(0)
  #beamWords: Uint32Array = new Uint32Array(0)
  #beamFloats: Float32Array = new Float32Array(0)

  /** Bytes of kernel memory that a memory of this shape takes. `upperBytes`: of the upper segment's data. */
  static requiredBytes(shape: RowsShape & { upperBytes: number; maxEf?: number }): number {
    const { count, dimensions, m, codes, upperBytes, maxEf = DEFAULT_MAX_EF } = shape
    const upperTags = upperBytes / (4 * (3 + m))
    const query = 4 * dimensions + (codes === undefined ? 0 : codes.codebookBytes + codes.preparedBytes)
    const scratch = 3 * scratchBytes(m) + CONTEXT_BYTES + 3 * TABLE_BYTES
    const allocations = 24 * ALIGN_BYTES + 64 * 4 * ALIGN_BYTES
    const beam = BEAM_SLOT_BYTES * beamSlots(maxEf, count)
    return allRowBytes(shape) + count + upperBytes + upperTags + query + scratch + beam + allocations
  }

  /** @throws ShardloomError when the kernel's memory cannot grow as far. */
  constructor(kernel: Kernel, shape: SearchShape) {
    const { metric, dimensions, count, m, entryPoint, upperLevels, maxEf = DEFAULT_MAX_EF, paged, codes } = shape
    this.kernel = kernel
    this.metric = metric
    this.dimensions = dimensions
    this.count = count
    this.m = m
    this.quantized = codes?.shape
    this.#codebook = codes?.codebook
    this.rows = new CoreRows(kernel, { count, dimensions, m, metric, codes: codes?.shape }, paged)
    this.#query = kernel.alloc(4 * dimensions, ALIGN_BYTES)
    this.context = kernel.alloc(CONTEXT_BYTES, ALIGN_BYTES)
    const values: Record<ContextField, number> = {
      count,
      dimensions,
      metric: metricNumber(metric),
      walked: this.rows.walked,
      exact: this.rows.exact,
      links: this.rows.links,
      levelCount: 0,
      levels: 0,
      upperStride: 4 * (1 + m),
      entry: entryPoint.index,
      visited: kernel.allocZeroed(count, ALIGN_BYTES),
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
      ids: kernel.alloc(scratchBytes(m), ALIGN_BYTES),
      distances: kernel.alloc(scratchBytes(m), ALIGN_BYTES),
      addresses: kernel.alloc(scratchBytes(m), ALIGN_BYTES),
      computed: 0,
      copies: 0,
    }
    setContext(kernel, this.context, values)
    const { context } = this
    const { far } = this.rows
    if (far.length > 0) {
      const kinds = far.map((rows) => rows.forThread())
      const kernels = far.map((rows) => rows.kernels)
      this.#far = kernel.far = new FarSearch({ kernel, context, dimensions, maxLinks: 2 * m }, kinds, kernels)
    }
    this.scratch = { ids: values.ids, distances: values.distances }
    if ('read' in upperLevels) this.#storedLevels = upperLevels
    else this.#setUpperLevels(copyLevels(kernel, upperLevels))
    this.#beamMark = kernel.mark()
    this.#widenBeam(beamSlots(maxEf, count))
  }

  /** All rows, the codebook and the upper levels are in memory: threads may search them. */
  get complete(): boolean {
    return this.#storedLevels === undefined && this.#codebook === undefined && this.rows.complete
  }

  /** Results of a search, a node in each even word. Valid after `prepare`, until the kernel allocates. */
  get beamWords(): Uint32Array {
    return this.#beamWords
  }

  /** The same bytes as `beamWords`, a distance in each odd word. */
  get beamFloats(): Float32Array {
    return this.#beamFloats
  }

  /** Before each search: loads the codebook and the upper levels if they are not in memory, makes room for the beam. */
  prepare(width: number): void {
    this.loadUpperLevels()
    if (width > this.#beamSlots) this.#widenBeam(width)
    else if (this.#beamWords.length === 0) this.#refreshViews()
    this.rows.loadOnDemand()
  }

  /** Writes the query of the next search. */
  setQuery(query: Float32Array): void {
    if (this.#queryView.length === 0) this.#refreshViews()
    this.#queryView.set(query)
    this.#far?.newQuery()
  }

  /** Reads the codebook and the stored upper levels now, not at the first search. */
  loadUpperLevels(): void {
    this.#loadCodebook()
    if (this.#storedLevels === undefined) return
    const { kernel } = this
    const { bytes } = this.#storedLevels
    // The beam must stay the last allocation, so it is released here and allocated again below.
    const slots = this.#beamSlots
    if (kernel.mark() === this.#beamEnd()) kernel.release(this.#beamMark)
    const mark = kernel.mark()
    try {
      this.#setUpperLevels(this.#storedLevels.read(kernel.u8(kernel.alloc(bytes, ALIGN_BYTES), bytes)))
      this.#storedLevels = undefined
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
    this.kernel.u8(contextWord(this.kernel, this.context, 'codebook'), bytes.length).set(bytes)
    this.#codebook = undefined
  }

  /** `levels` lie in the kernel's memory. */
  #setUpperLevels(levels: readonly UpperLevel[]): void {
    const upperCount = levels[0]?.nodes.length ?? 0
    setContext(this.kernel, this.context, {
      levelCount: levels.length,
      levels: levelTable(this.kernel, levels),
      upperVisited: this.kernel.allocZeroed(upperCount, ALIGN_BYTES),
      upperCount,
    })
  }

  /** The beam is the last allocation, so that a wider one can take its place. */
  #widenBeam(slots: number): void {
    if (this.#beamSlots > 0 && this.kernel.mark() === this.#beamEnd()) this.kernel.release(this.#beamMark)
    this.#beam = this.kernel.alloc(BEAM_SLOT_BYTES * slots, ALIGN_BYTES)
    this.#beamSlots = slots
    setContext(this.kernel, this.context, { beam: this.#beam })
    this.#refreshViews()
  }

  #beamEnd(): number {
    return this.#beam + BEAM_SLOT_BYTES * this.#beamSlots
  }

  /** When the memory grows, by any allocation in its kernel, views of it get length 0. */
  #refreshViews(): void {
    this.#queryView = this.kernel.f32(this.#query, this.dimensions)
    this.#beamWords = this.kernel.u32(this.#beam, 2 * this.#beamSlots)
    this.#beamFloats = this.kernel.f32(this.#beam, 2 * this.#beamSlots)
  }
}
