/**
 * Rows of one kind in several kernel memories, each with the rows of as many nodes: `FarLayout`. Made and filled by the
 * thread that opened the index, which owns the memories; searched through `FarSearch`, by any thread that they are
 * shared with.
 */
import type { Kernel } from '../../../../kernel/kernel.js'
import type { RowSource } from '../../../rows/row-source.js'
import { createFarContext, farContextBytes, type FarContextShape } from './far-context.js'
import type { FarKind } from './far-search.js'
import { pageShape, PageTable, pageTableBytes } from '../page-table.js'
import type { FarLayout } from '../row-layout.js'
import { ALIGN_BYTES, setTable, TABLE_BYTES } from '../search-context.js'

/** The rows of nodes `firstNode` to firstNode + count − 1, in a memory of their own. */
interface FarPart {
  readonly firstNode: number
  readonly count: number
  readonly kernel: Kernel
  readonly table: number
  readonly pages: PageTable
}

export interface FarRowsShape extends FarContextShape {
  readonly encoding: number
  /** What a search calls these rows. */
  readonly kind: number
}

export class FarRows {
  readonly shape: FarRowsShape
  readonly partNodes: number
  readonly #source: RowSource
  readonly #parts: readonly FarPart[]

  /** `near`: the kernel that walks; the memories are of its kind. @throws as `Kernel.alloc` */
  constructor(near: Kernel, source: RowSource, layout: FarLayout, shape: FarRowsShape) {
    this.shape = shape
    this.partNodes = layout.partNodes
    this.#source = source
    this.#parts = Array.from({ length: Math.ceil(source.count / layout.partNodes) }, (_, part) => {
      const firstNode = part * layout.partNodes
      return makePart(near.another(), partOf(source, firstNode, layout.partNodes), firstNode, layout, shape)
    })
  }

  /** The kernels of the memories. */
  get kernels(): readonly Kernel[] {
    return this.#parts.map(({ kernel }) => kernel)
  }

  /** With a new context in each memory: what a thread needs to search these rows. */
  forThread(): FarKind {
    const { kind, preparedBytes } = this.shape
    const parts = this.#parts.map(({ kernel, table }) => ({
      memory: kernel.memory,
      context: createFarContext(kernel, table, this.shape),
    }))
    return { kind, partNodes: this.partNodes, strideBytes: this.#source.strideBytes, preparedBytes, parts }
  }

  /** All rows are in memory. */
  get complete(): boolean {
    return this.#parts.every(({ pages }) => pages.complete)
  }

  /** Rows of `count` nodes from `node` on, to be filled: in pieces, where they lie in several memories. */
  piecesAt(node: number, count: number): { readonly node: number; readonly bytes: Uint8Array }[] {
    const { strideBytes } = this.#source
    return this.#parts.flatMap(({ firstNode, count: held, kernel, pages }) => {
      const [from, to] = [Math.max(node, firstNode), Math.min(node + count, firstNode + held)]
      if (from >= to) return []
      const at = pages.base + (from - firstNode) * strideBytes
      return [{ node: from, bytes: kernel.u8(at, (to - from) * strideBytes) }]
    })
  }

  /** Call once all rows are filled, when there is room for all pages. */
  markComplete(): void {
    for (const { pages } of this.#parts) pages.markComplete()
  }

  /** Before each search: makes it bypass the page tables of memories that hold all their rows. */
  nextSearch(): void {
    for (const { kernel, table, pages } of this.#parts) {
      if (pages.complete) setTable(kernel, table, { paged: 0 })
      setTable(kernel, table, { loose: pages.nextSearch() ? 1 : 0 })
    }
  }

  /** Copies one row. Loads no page. */
  readRow(node: number, into: Uint8Array): void {
    const { firstNode, pages } = this.#parts[Math.floor(node / this.partNodes)]
    pages.readRow(node - firstNode, into)
  }
}

function makePart(
  kernel: Kernel,
  source: RowSource,
  firstNode: number,
  { pageBytes }: FarLayout,
  shape: FarRowsShape,
): FarPart {
  // At once: every growth makes the runtime collect garbage.
  kernel.reserve(pageTableBytes(pageShape(source, pageBytes)) + TABLE_BYTES + farContextBytes(shape))
  const pages = new PageTable(kernel, source, pageBytes)
  const table = kernel.alloc(TABLE_BYTES, ALIGN_BYTES)
  setTable(kernel, table, {
    rows: pages.base,
    stride: source.strideBytes,
    encoding: shape.encoding,
    kind: shape.kind,
    paged: 1,
    pages: pages.pagesAt,
    used: pages.usedAt,
    shift: pages.shift,
    loose: 0,
    far: 0,
  })
  // Nothing else is in this memory, so every missing row is of this table.
  kernel.onMissingRow = (_context, _kind, row) => pages.looseRow(row)
  kernel.onMissingPage = (_context, _kind, page) => pages.load(page)
  return { firstNode, count: source.count, kernel, table, pages }
}

/** The rows from `firstNode` on as a source of their own. */
function partOf(source: RowSource, firstNode: number, mostNodes: number): RowSource {
  return {
    count: Math.min(mostNodes, source.count - firstNode),
    strideBytes: source.strideBytes,
    read: (first, count, into) => source.read(firstNode + first, count, into),
  }
}
