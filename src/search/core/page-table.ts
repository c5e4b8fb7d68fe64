/**
 * Rows of one kind, in pages of kernel memory that are read from their files on first use. With room for all pages none
 * is ever evicted, and rows are contiguous; with less, CLOCK evicts (a page that was used since the hand last passed
 * gets a second chance).
 */
import type { Kernel } from '../../../kernel/kernel.js'
import { LooseRows } from './loose-rows.js'
import type { RowSource } from '../../rows/row-source.js'

/**
 * A search uses few rows of a page, so the rest of it is read and held for little. Pages are as long as the system's
 * memory pages and aligned to them: the first touch of those is a third of the time that loading a page of 8 KiB takes.
 */
const PAGE_BYTES = 4 * 1024
const ALIGN_BYTES = 64
const NO_PAGE = 0xffffffff

export interface PageShape {
  /** A page is 2^shift rows. */
  readonly shift: number
  readonly pageBytes: number
  readonly pageCount: number
  readonly slots: number
}

/** The pages that fit in `cacheBytes`; all of them when all bytes of the rows fit. */
export function pageShape(rows: Pick<RowSource, 'count' | 'strideBytes'>, cacheBytes: number): PageShape {
  const { count, strideBytes } = rows
  const all = count * strideBytes <= cacheBytes
  const shift = Math.max(0, Math.floor(Math.log2(PAGE_BYTES / strideBytes)))
  const pageBytes = strideBytes * 2 ** shift
  const pageCount = Math.ceil(count / 2 ** shift)
  return {
    shift,
    pageBytes,
    pageCount,
    slots: all ? pageCount : Math.min(pageCount, Math.floor(cacheBytes / pageBytes)),
  }
}

/** Bytes of kernel memory that a table of this shape takes. */
export function pageTableBytes({ pageBytes, pageCount, slots }: PageShape): number {
  return slots * pageBytes + 5 * pageCount + PAGE_BYTES + 2 * ALIGN_BYTES
}

export class PageTable {
  readonly shift: number
  /** Address of the first slot; with room for all pages, of row 0. */
  readonly base: number
  /** Addresses of the u32 per page and of the u8 per page that the kernel reads and writes. */
  readonly pagesAt: number
  readonly usedAt: number
  readonly #kernel: Kernel
  readonly #source: RowSource
  readonly #shape: PageShape
  /** By slot; empty unless there are fewer slots than pages. */
  readonly #pageInSlot: Uint32Array
  #hand = 0
  #loaded = 0
  #reads = 0
  #loose: LooseRows | undefined

  constructor(kernel: Kernel, source: RowSource, cacheBytes: number) {
    this.#kernel = kernel
    this.#source = source
    const shape = pageShape(source, cacheBytes)
    this.#shape = shape
    this.shift = shape.shift
    this.base = kernel.alloc(shape.slots * shape.pageBytes, PAGE_BYTES)
    this.pagesAt = kernel.allocZeroed(4 * shape.pageCount, ALIGN_BYTES)
    this.usedAt = kernel.allocZeroed(shape.pageCount, ALIGN_BYTES)
    // Of a page of one row nothing is left over.
    if (shape.slots === shape.pageCount && shape.shift > 0) {
      this.#loose = new LooseRows(kernel, source, this.base + source.count * source.strideBytes)
    }
    this.#pageInSlot = new Uint32Array(shape.slots < shape.pageCount ? shape.slots : 0).fill(NO_PAGE)
  }

  /** All rows are in memory to stay, contiguous from `base` on. */
  get complete(): boolean {
    return this.#loaded === this.#shape.pageCount
  }

  /** Pages read so far. */
  get reads(): number {
    return this.#reads
  }

  /** Before each search: whether rows of missing pages may be asked for one by one. */
  nextSearch(): boolean {
    if (this.#loose?.nextSearch() === false) this.#loose = undefined
    return this.#loose !== undefined
  }

  /** The address of a row whose page is missing; 0 when its page must be loaded. */
  looseRow(row: number): number {
    const address = this.#loose?.addressOf(row) ?? 0
    if (address === 0) this.#loose = undefined
    return address
  }

  /** Loads a page. When reading throws, the page stays missing, and the page that had its slot is evicted. */
  load(page: number): void {
    const { pageBytes, pageCount, slots } = this.#shape
    const slot = slots === pageCount ? page : this.#freeSlot()
    const address = this.base + slot * pageBytes
    if (this.#loose?.overlap(address, pageBytes) === true) this.#loose = undefined
    const first = page * 2 ** this.shift
    const count = Math.min(2 ** this.shift, this.#source.count - first)
    this.#source.read(first, count, this.#kernel.u8(address, count * this.#source.strideBytes))
    this.#reads++
    this.#kernel.u32(this.pagesAt, pageCount)[page] = address
    this.#kernel.u8(this.usedAt, pageCount)[page] = 1
    if (slots === pageCount) this.#loaded++
    else this.#pageInSlot[slot] = page
  }

  /** Copies one row: from its page if that is loaded, else from the source, without loading the page. */
  readRow(row: number, into: Uint8Array): void {
    const { pageCount } = this.#shape
    const page = row >>> this.shift
    const address = this.#kernel.u32(this.pagesAt, pageCount)[page]
    if (address === 0) this.#source.read(row, 1, into)
    else into.set(this.#kernel.u8(address + (row & (2 ** this.shift - 1)) * into.length, into.length))
  }

  /** Call once all rows are filled from `base` on. */
  markComplete(): void {
    const { pageBytes, pageCount, slots } = this.#shape
    if (slots < pageCount) throw new RangeError(`${slots} slots cannot hold ${pageCount} pages`)
    const pages = this.#kernel.u32(this.pagesAt, pageCount)
    for (let page = 0; page < pageCount; page++) pages[page] = this.base + page * pageBytes
    this.#loaded = pageCount
    this.#loose = undefined
  }

  /** Empties the next slot whose page was not used since the hand last passed it. */
  #freeSlot(): number {
    const { pageCount, slots } = this.#shape
    const pages = this.#kernel.u32(this.pagesAt, pageCount)
    const used = this.#kernel.u8(this.usedAt, pageCount)
    for (;;) {
      const slot = this.#hand
      this.#hand = slot + 1 === slots ? 0 : slot + 1
      const page = this.#pageInSlot[slot]
      if (page === NO_PAGE) return slot
      if (used[page] === 0) {
        pages[page] = 0
        this.#pageInSlot[slot] = NO_PAGE
        return slot
      }
      used[page] = 0
    }
  }
}
