/**
 * The rows that searches read, by node: links, vectors, and quantized vectors if the graph is walked on these. Either
 * contiguous in kernel memory, filled by the caller; or in pages, read when a search needs them.
 */
import type { Kernel } from '../../../kernel/kernel.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { Metric } from '../../api/vectors.js'
import { PageTable, pageShape, pageTableBytes } from './page-table.js'
import { encodingNumber, EXACT_ROWS, LINK_ROWS, setTable, TABLE_BYTES, WALKED_ROWS } from './search-context.js'
import type { RowSource } from '../../rows/row-source.js'

export interface RowsShape {
  readonly count: number
  readonly dimensions: number
  readonly m: number
  /** Of the quantized vectors. Absent: the graph is walked on the vectors. */
  readonly codes?: QuantizedShape | undefined
}

/** Sources of rows that are read when a search needs them, and bytes of kernel memory to hold them in. */
export interface PagedRows {
  readonly vectors: RowSource
  readonly links: RowSource
  /** Required when the shape has codes. */
  readonly codes?: RowSource | undefined
  readonly cacheBytes: number
}

/** A kind of rows, and of the segments that they are read from. */
export type RowKind = 'codes' | 'links' | 'vectors'

const KIND_NUMBERS: Readonly<Record<RowKind, number>> = { codes: WALKED_ROWS, links: LINK_ROWS, vectors: EXACT_ROWS }
/** Rows begin on cache lines when their length allows it. */
const ALIGN_BYTES = 64

interface Rows {
  readonly strideBytes: number
  /** Address of node 0's row. With fewer page slots than pages it is only where the pages begin. */
  readonly base: number
  /** Address of the RowTable that the kernel reads. */
  readonly table: number
  readonly pages: PageTable | undefined
}

export class CoreRows {
  /** Addresses of the kernel's RowTables. */
  readonly walked: number
  readonly links: number
  readonly exact: number
  readonly #kernel: Kernel
  readonly #kinds: Readonly<Partial<Record<RowKind, Rows>>> & Readonly<Record<'links' | 'vectors', Rows>>
  /** All rows are in memory, and the kernel's tables say that none is paged. */
  #unpaged = false

  constructor(kernel: Kernel, shape: RowsShape & { readonly metric: Metric }, paged: PagedRows | undefined) {
    this.#kernel = kernel
    const { count, metric, codes } = shape
    const strides = stridesOf(shape)
    const cache = paged && shareCache(shape, paged.cacheBytes)
    const rows = (kind: RowKind, encoding: number): Rows => {
      const source = paged?.[kind]
      const strideBytes = strides[kind]
      const pages = source && new PageTable(kernel, source, cache?.[kind] ?? 0)
      const base = pages?.base ?? kernel.alloc(count * strideBytes, ALIGN_BYTES)
      const table = kernel.alloc(TABLE_BYTES, ALIGN_BYTES)
      setTable(kernel, table, {
        rows: base,
        stride: strideBytes,
        encoding,
        kind: KIND_NUMBERS[kind],
        paged: pages === undefined ? 0 : 1,
        pages: pages?.pagesAt ?? 0,
        used: pages?.usedAt ?? 0,
        shift: pages?.shift ?? 0,
      })
      return { strideBytes, base, table, pages }
    }
    const vectors = rows('vectors', encodingNumber('f32', metric))
    const links = rows('links', 0)
    this.#kinds = { vectors, links, ...(codes && { codes: rows('codes', encodingNumber(codes.quantization, metric)) }) }
    this.exact = vectors.table
    this.links = links.table
    this.walked = (this.#kinds.codes ?? vectors).table
  }

  /** Bytes of kernel memory for all rows. */
  static allBytes(shape: RowsShape): number {
    const strides = stridesOf(shape)
    return shape.count * (strides.vectors + strides.links + strides.codes)
  }

  /** Bytes that paging takes in addition to the pages. */
  static tableBytes(shape: RowsShape): number {
    return kindsOf(shape).reduce((sum, { strideBytes }) => {
      return sum + pageTableBytes(pageShape({ count: shape.count, strideBytes }, 0))
    }, 0)
  }

  /** The fewest bytes of pages that have room for one expansion. */
  static leastPageBytes(shape: RowsShape): number {
    return kindsOf(shape).reduce((sum, { kind }) => sum + leastBytes(shape, kind), 0)
  }

  /** Rows of `count` nodes from `node` on, to be filled. Valid until the kernel allocates. */
  rowsAt(kind: RowKind, node: number, count: number): Uint8Array {
    const rows = this.#kinds[kind]
    if (rows === undefined) throw new Error(`this core has no ${kind}`)
    return this.#kernel.u8(rows.base + node * rows.strideBytes, count * rows.strideBytes)
  }

  /** All rows are in memory. */
  get complete(): boolean {
    return this.#tables().every((table) => table.complete)
  }

  /** Call once all rows are filled, when there is room for all pages. */
  markComplete(): void {
    for (const table of this.#tables()) table.markComplete()
    this.loadOnDemand()
  }

  /** Before each search: makes the kernel ask here for missing pages; for none, once all rows are in memory. */
  loadOnDemand(): void {
    if (this.#unpaged) return
    for (const { table, pages } of this.#all())
      if (pages?.complete === true) setTable(this.#kernel, table, { paged: 0 })
    this.#unpaged = this.complete
    const { codes, links, vectors } = this.#kinds
    const byNumber = [codes ?? vectors, links, vectors]
    this.#kernel.onMissingPage = (_, kind, page) => byNumber[kind].pages?.load(page)
  }

  /** Copies the stored vector of a node. Loads no page. */
  readVector(node: number, into: Uint8Array): void {
    const { pages } = this.#kinds.vectors
    if (pages === undefined) into.set(this.rowsAt('vectors', node, 1))
    else pages.readRow(node, into)
  }

  #all(): Rows[] {
    const { codes, links, vectors } = this.#kinds
    return [vectors, links, ...(codes === undefined ? [] : [codes])]
  }

  #tables(): PageTable[] {
    return this.#all().flatMap(({ pages }) => (pages === undefined ? [] : [pages]))
  }
}

export function linkStrideBytes(m: number): number {
  return 4 * (2 * m + 1)
}

function stridesOf({ dimensions, m, codes }: RowsShape): Record<RowKind, number> {
  return { vectors: 4 * dimensions, links: linkStrideBytes(m), codes: codes?.strideBytes ?? 0 }
}

function kindsOf(shape: RowsShape): { kind: RowKind; strideBytes: number }[] {
  const strides = stridesOf(shape)
  const kinds: RowKind[] = ['vectors', 'links', ...(shape.codes === undefined ? [] : ['codes' as const])]
  return kinds.map((kind) => ({ kind, strideBytes: strides[kind] }))
}

/**
 * Vectors that distances are computed to need room for the rows of one expansion, twice: see gatherPages of the kernel.
 */
function leastBytes(shape: RowsShape, kind: RowKind): number {
  const { pageBytes } = pageShape({ count: 2 ** 32, strideBytes: stridesOf(shape)[kind] }, 0)
  return kind === 'links' ? pageBytes : 2 * (2 * shape.m + 1) * pageBytes
}

/**
 * Divides the cache in proportion to the bytes of each kind, but gives each the least that a search needs. When the
 * graph is walked on quantized vectors, they and the links come first: a search reads many of them, and few vectors.
 */
function shareCache(shape: RowsShape, cacheBytes: number): Record<RowKind, number> {
  const strides = stridesOf(shape)
  const all = (kind: RowKind): number => shape.count * strides[kind]
  if (cacheBytes >= CoreRows.allBytes(shape)) {
    return { vectors: all('vectors'), links: all('links'), codes: all('codes') }
  }
  const share = (bytes: number, first: RowKind): { first: number; links: number } => {
    const links = Math.floor(bytes * (all('links') / (all('links') + all(first))))
    return {
      first: Math.max(leastBytes(shape, first), bytes - links),
      links: Math.max(leastBytes(shape, 'links'), links),
    }
  }
  if (shape.codes === undefined) {
    const { first, links } = share(cacheBytes, 'vectors')
    return { vectors: first, links, codes: 0 }
  }
  const walkedBytes = cacheBytes - leastBytes(shape, 'vectors')
  if (walkedBytes >= all('codes') + all('links')) {
    return { vectors: cacheBytes - all('codes') - all('links'), links: all('links'), codes: all('codes') }
  }
  const { first, links } = share(walkedBytes, 'codes')
  return { vectors: leastBytes(shape, 'vectors'), links, codes: first }
}
