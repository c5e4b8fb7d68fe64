import type { Kernel } from '../../../kernel/kernel.js'
import { linksStrideBytes } from '../../format/segment/segment-file.js'
import type { Metric } from '../../api/vectors.js'
import type { SearchableGraph } from './search-graph.js'
import { FileRows, type RowFile } from '../../rows/file-rows.js'
import { distanceBias } from '../../search/core/search-context.js'

export interface FileGraphShape {
  readonly metric: Metric
  readonly dimensions: number
  readonly m: number
  /** Each list covers all nodes without overlap, in any order. */
  readonly vectors: readonly RowFile[]
  readonly links: readonly RowFile[]
  /** Approximate bytes of cached rows. Default 8 MiB. */
  readonly cacheBytes?: number
}

const DEFAULT_CACHE_BYTES = 8 * 2 ** 20

/**
 * A finished graph that stays in its files. It reads single rows with positional reads, and has a small cache.
 * `searchGraph` uses it when vectors and links do not fit in memory. Distances come from the kernel, so that a search
 * here and a search in memory give the same answers to the bit.
 */
export class FileGraph implements SearchableGraph {
  readonly #kernel: Kernel
  readonly #metric: Metric
  readonly #dimensions: number
  readonly #query: number
  readonly #vectors: RowCache
  readonly #vectorRows: number
  readonly #links: RowCache
  readonly #linkRows: Uint8Array

  /** Takes kernel memory for the cache until the caller releases its mark. Opens every file; `close` closes them. */
  constructor(kernel: Kernel, shape: FileGraphShape) {
    const { metric, dimensions, m, cacheBytes = DEFAULT_CACHE_BYTES } = shape
    this.#kernel = kernel
    this.#metric = metric
    this.#dimensions = dimensions
    const vectorBytes = 4 * dimensions
    const linkBytes = linksStrideBytes(m)
    const slots = Math.max(1, Math.floor(cacheBytes / (vectorBytes + linkBytes)))
    this.#query = kernel.alloc(vectorBytes)
    this.#vectorRows = kernel.alloc(slots * vectorBytes)
    this.#linkRows = new Uint8Array(slots * linkBytes)
    this.#vectors = new RowCache(shape.vectors, vectorBytes, slots)
    try {
      this.#links = new RowCache(shape.links, linkBytes, slots)
    } catch (error) {
      this.#vectors.close()
      throw error
    }
  }

  /** `dimensions` long; unit length for cosine. */
  setQuery(query: Float32Array): void {
    this.#kernel.f32(this.#query, this.#dimensions).set(query)
  }

  links(node: number): Uint32Array {
    const { strideBytes } = this.#links
    const at =
      strideBytes *
      this.#links.slotOf(node, (slot) => this.#linkRows.subarray(slot * strideBytes, (slot + 1) * strideBytes))
    const row = new Uint32Array(this.#linkRows.buffer, at, strideBytes / 4)
    return row.subarray(1, 1 + row[0])
  }

  distance(node: number): number {
    const { strideBytes } = this.#vectors
    const rowAt = (slot: number): number => this.#vectorRows + slot * strideBytes
    const row = rowAt(this.#vectors.slotOf(node, (slot) => this.#kernel.u8(rowAt(slot), strideBytes)))
    const { fn } = this.#kernel
    return this.#metric === 'l2'
      ? fn.searchDistanceL2(this.#query, row, this.#dimensions)
      : fn.searchDistanceDot(this.#query, row, this.#dimensions, distanceBias(this.#metric))
  }

  areCopies(a: number, b: number): boolean {
    const first = this.#vector(a).slice()
    return this.#vector(b).every((byte, i) => byte === first[i])
  }

  close(): void {
    this.#vectors.close()
    this.#links.close()
  }

  #vector(node: number): Uint8Array {
    const { strideBytes } = this.#vectors
    const rowAt = (slot: number): Uint8Array => this.#kernel.u8(this.#vectorRows + slot * strideBytes, strideBytes)
    return rowAt(this.#vectors.slotOf(node, rowAt))
  }
}

/** A direct-mapped cache of rows: each node has one slot, and near nodes have different slots. */
class RowCache {
  readonly #files: FileRows
  readonly #nodeInSlot: Float64Array

  constructor(files: readonly RowFile[], strideBytes: number, slots: number) {
    this.#files = new FileRows(files, strideBytes)
    this.#nodeInSlot = new Float64Array(slots).fill(-1)
  }

  get strideBytes(): number {
    return this.#files.strideBytes
  }

  /** The slot of the node. When it contains another row, the row of the node is first read into `viewOf(slot)`. */
  slotOf(node: number, viewOf: (slot: number) => Uint8Array): number {
    const slot = node % this.#nodeInSlot.length
    if (this.#nodeInSlot[slot] !== node) {
      this.#nodeInSlot[slot] = -1
      this.#files.read(node, 1, viewOf(slot))
      this.#nodeInSlot[slot] = node
    }
    return slot
  }

  close(): void {
    this.#files.close()
  }
}
