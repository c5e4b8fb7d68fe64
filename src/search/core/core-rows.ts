/**
 * The rows that searches read, by node: links, vectors, and quantized vectors if the graph is walked on these. Either
 * contiguous in kernel memory, filled by the caller; or in pages, read when a search needs them. What one memory has no
 * room for is in memories of its own (`FarRows`).
 */
import type { Kernel } from '../../../kernel/kernel.js'
import type { Metric } from '../../api/vectors.js'
import type { RowSource } from '../../rows/row-source.js'
import { FarRows } from './far/far-rows.js'
import { PageTable } from './page-table.js'
import { strideBytesOf, type RowKind, type RowLayout, type RowsShape } from './row-layout.js'
import {
  ALIGN_BYTES,
  encodingNumber,
  EXACT_ROWS,
  LINK_ROWS,
  metricNumber,
  setTable,
  TABLE_BYTES,
  WALKED_ROWS,
} from './search-context.js'

/** Sources of rows that are read when a search needs them, and where there is memory to hold them in. */
export interface PagedRows {
  readonly vectors: RowSource
  readonly links: RowSource
  /** Required when the shape has codes. */
  readonly codes?: RowSource | undefined
  readonly layout: RowLayout
}

const KIND_NUMBERS: Readonly<Record<RowKind, number>> = { codes: WALKED_ROWS, links: LINK_ROWS, vectors: EXACT_ROWS }

interface Rows {
  readonly strideBytes: number
  /** Address of node 0's row. With fewer page slots than pages it is only where the pages begin. Far rows have none. */
  readonly base: number
  /** Address of the RowTable that the kernel reads. */
  readonly table: number
  readonly pages: PageTable | undefined
  readonly far: FarRows | undefined
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
    const { metric, codes } = shape
    const rows = (kind: RowKind, encoding: number): Rows => makeRows(kernel, shape, paged, kind, encoding)
    const vectors = rows('vectors', encodingNumber('f32', metric))
    const links = rows('links', 0)
    this.#kinds = { vectors, links, ...(codes && { codes: rows('codes', encodingNumber(codes.quantization, metric)) }) }
    this.exact = vectors.table
    this.links = links.table
    this.walked = (this.#kinds.codes ?? vectors).table
  }

  /** Rows in other memories. */
  get far(): FarRows[] {
    return this.#all().flatMap(({ far }) => (far === undefined ? [] : [far]))
  }

  /**
   * Rows of `count` nodes from `node` on, to be filled: in pieces, where they lie in several memories. Valid until the
   * kernel allocates.
   */
  piecesAt(kind: RowKind, node: number, count: number): { readonly node: number; readonly bytes: Uint8Array }[] {
    return this.#rows(kind).far?.piecesAt(node, count) ?? [{ node, bytes: this.rowsAt(kind, node, count) }]
  }

  /** As `piecesAt`, of rows that are not far. */
  rowsAt(kind: RowKind, node: number, count: number): Uint8Array {
    const { base, strideBytes, far } = this.#rows(kind)
    if (far !== undefined) throw new Error(`${kind} are in other memories`)
    return this.#kernel.u8(base + node * strideBytes, count * strideBytes)
  }

  /** All rows are in memory. */
  get complete(): boolean {
    return this.#all().every(({ pages, far }) => (pages?.complete ?? true) && (far?.complete ?? true))
  }

  /** Call once all rows are filled, when there is room for all pages. */
  markComplete(): void {
    for (const { pages, far } of this.#all()) {
      pages?.markComplete()
      far?.markComplete()
    }
    this.loadOnDemand()
  }

  /** Before each search: makes the kernel ask here for missing pages; for none, once all rows are in memory. */
  loadOnDemand(): void {
    if (this.#unpaged) return
    for (const { table, pages, far } of this.#all()) {
      if (pages?.complete === true) setTable(this.#kernel, table, { paged: 0 })
      setTable(this.#kernel, table, { loose: pages?.nextSearch() === true ? 1 : 0 })
      far?.nextSearch()
    }
    this.#unpaged = this.complete
    const { codes, links, vectors } = this.#kinds
    const byNumber = [codes ?? vectors, links, vectors]
    this.#kernel.onMissingRow = (_, kind, node) => byNumber[kind].pages?.looseRow(node) ?? 0
    this.#kernel.onMissingPage = (_, kind, page) => byNumber[kind].pages?.load(page)
  }

  /** Copies the stored vector of a node. Loads no page. */
  readVector(node: number, into: Uint8Array): void {
    const { pages, far } = this.#kinds.vectors
    if (far !== undefined) far.readRow(node, into)
    else if (pages === undefined) into.set(this.rowsAt('vectors', node, 1))
    else pages.readRow(node, into)
  }

  #rows(kind: RowKind): Rows {
    const rows = this.#kinds[kind]
    if (rows === undefined) throw new Error(`this core has no ${kind}`)
    return rows
  }

  #all(): Rows[] {
    const { codes, links, vectors } = this.#kinds
    return [vectors, links, ...(codes === undefined ? [] : [codes])]
  }
}

function makeRows(
  kernel: Kernel,
  shape: RowsShape & { readonly metric: Metric },
  paged: PagedRows | undefined,
  kind: RowKind,
  encoding: number,
): Rows {
  const { count, dimensions, m, metric } = shape
  const strideBytes = strideBytesOf(shape)[kind]
  const source = paged?.[kind]
  const farLayout = kind === 'links' ? undefined : paged?.layout.far[kind]
  const number = KIND_NUMBERS[kind]
  const table = kernel.alloc(TABLE_BYTES, ALIGN_BYTES)
  if (source !== undefined && farLayout !== undefined) {
    const preparedBytes = kind === 'codes' ? (shape.codes?.preparedBytes ?? 0) : 0
    const farShape = { dimensions, m, metric: metricNumber(metric), encoding, kind: number, preparedBytes }
    const far = new FarRows(kernel, source, farLayout, farShape)
    const unused = { rows: 0, paged: 0, pages: 0, used: 0, shift: 0, loose: 0 }
    setTable(kernel, table, { ...unused, stride: strideBytes, encoding, kind: number, far: 1 })
    return { strideBytes, base: 0, table, pages: undefined, far }
  }
  const pages = source && new PageTable(kernel, source, paged?.layout.near[kind] ?? 0)
  const base = pages?.base ?? kernel.alloc(count * strideBytes, ALIGN_BYTES)
  setTable(kernel, table, {
    rows: base,
    stride: strideBytes,
    encoding,
    kind: number,
    paged: pages === undefined ? 0 : 1,
    pages: pages?.pagesAt ?? 0,
    used: pages?.usedAt ?? 0,
    shift: pages?.shift ?? 0,
    loose: 0,
    far: 0,
  })
  return { strideBytes, base, table, pages, far: undefined }
}
