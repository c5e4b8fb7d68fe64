/**
 * How much of each kind of rows an open index holds, and in which memory: near rows lie in the memory in which a search
 * walks, far rows in memories of their own, for one WebAssembly memory ends at 4 GiB. Pure.
 */
import { InsufficientMemoryError } from '../../errors.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { quantizedShape, type QuantizedShape } from '../../format/graph/quantized-shape.js'
import { pageShape, pageTableBytes } from './page-table.js'

export interface RowsShape {
  readonly count: number
  readonly dimensions: number
  readonly m: number
  /** Of the quantized vectors. Absent: the graph is walked on the vectors. */
  readonly codes?: QuantizedShape | undefined
}

/** A kind of rows, and of the segments that they are read from. */
export type RowKind = 'codes' | 'links' | 'vectors'

/** Nodes 0 to partNodes − 1 are in the first memory, and so on. */
export interface FarLayout {
  readonly partNodes: number
  /** Of each memory. */
  readonly pageBytes: number
}

export interface RowLayout {
  /** Bytes of pages in the memory in which a search walks; 0 for far rows. */
  readonly near: Readonly<Record<RowKind, number>>
  /** Links are never far: a search follows them itself. */
  readonly far: Readonly<Partial<Record<'codes' | 'vectors', FarLayout>>>
}

/** What bounds a layout. */
export interface LayoutRoom {
  /** Of pages, in all memories. */
  readonly pageBytes: number
  /** The part of it that the memory in which a search walks has room for. */
  readonly nearBytes: number
  /** The largest memory of far rows. */
  readonly memoryBytes: number
  /** What such a memory contains besides rows and their page table. */
  readonly farFixedBytes: number
}

export function rowsShape({ count, dimensions, m, quantization }: Manifest): RowsShape {
  return { count, dimensions, m, codes: quantization === 'f32' ? undefined : quantizedShape(quantization, dimensions) }
}

/** Bytes of a row, by kind. */
export function strideBytesOf({ dimensions, m, codes }: RowsShape): Record<RowKind, number> {
  return { vectors: 4 * dimensions, links: linkStrideBytes(m), codes: codes?.strideBytes ?? 0 }
}

export function linkStrideBytes(m: number): number {
  return 4 * (2 * m + 1)
}

export function kindsOf(shape: RowsShape): RowKind[] {
  return shape.codes === undefined ? ['vectors', 'links'] : ['vectors', 'links', 'codes']
}

/** Bytes of all rows. */
export function allRowBytes(shape: RowsShape): number {
  const strides = strideBytesOf(shape)
  return shape.count * (strides.vectors + strides.links + strides.codes)
}

/** Kinds whose rows lie in the memory in which a search walks. */
export function nearKinds(shape: RowsShape, { far }: RowLayout): RowKind[] {
  return kindsOf(shape).filter((kind) => kind === 'links' || far[kind] === undefined)
}

/** Bytes that paging of these kinds takes in addition to the pages. */
export function tableBytesOf(shape: RowsShape, kinds: readonly RowKind[]): number {
  const strides = strideBytesOf(shape)
  return kinds.reduce((sum, kind) => sum + emptyTableBytes(shape.count, strides[kind]), 0)
}

/** The fewest bytes of pages that have room for one expansion. */
export function leastPageBytes(shape: RowsShape): number {
  return kindsOf(shape).reduce((sum, kind) => sum + leastBytes(shape, kind), 0)
}

/** One memory for everything. */
export function nearLayout(shape: RowsShape, pageBytes: number): RowLayout {
  return { near: sharePages(shape, pageBytes), far: {} }
}

/**
 * Kinds that do not fit beside the others are far: vectors first, of which a walk on quantized vectors reads few, then
 * quantized vectors. All that is shared out is at most `room.pageBytes`, but each kind has room for an expansion.
 */
export function layoutRows(shape: RowsShape, room: LayoutRoom): RowLayout {
  const near = sharePages(shape, room.pageBytes)
  const far: Partial<Record<'codes' | 'vectors', FarLayout>> = {}
  for (const kind of ['vectors', 'codes'] as const) {
    if (near.vectors + near.links + near.codes <= room.nearBytes) break
    if (near[kind] === 0) continue
    far[kind] = layoutFar(shape, kind, near[kind], room)
    near[kind] = 0
  }
  near.links = Math.max(Math.min(near.links, room.nearBytes), leastBytes(shape, 'links'))
  return { near, far }
}

/** The number of memories of far rows. */
export function farMemories({ count }: RowsShape, { far }: RowLayout): number {
  return Object.values(far).reduce((sum, { partNodes }) => sum + Math.ceil(count / partNodes), 0)
}

/** As few memories as can hold the rows that there is room for; each has the same number of nodes, and of pages. */
function layoutFar(shape: RowsShape, kind: RowKind, bytes: number, room: LayoutRoom): FarLayout {
  const { count } = shape
  const strideBytes = strideBytesOf(shape)[kind]
  const pageRows = 2 ** pageShape({ count, strideBytes }, 0).shift
  const all = bytes >= count * strideBytes
  for (let parts = Math.max(1, Math.ceil(bytes / room.memoryBytes)); ; parts++) {
    const partNodes = pageRows * Math.ceil(count / parts / pageRows)
    const pageBytes = all ? partNodes * strideBytes : Math.max(Math.floor(bytes / parts), leastBytes(shape, kind))
    const neededBytes = pageBytes + emptyTableBytes(partNodes, strideBytes) + room.farFixedBytes
    if (neededBytes <= room.memoryBytes) return { partNodes, pageBytes }
    if (partNodes === pageRows) {
      const help = 'a WebAssembly memory has no room for the rows of one expansion'
      throw new InsufficientMemoryError({ neededBytes, availableBytes: room.memoryBytes, stage: 'open', help })
    }
  }
}

function emptyTableBytes(count: number, strideBytes: number): number {
  return pageTableBytes(pageShape({ count, strideBytes }, 0))
}

/**
 * Vectors that distances are computed to need room for the rows of one expansion, twice: see gatherPages of the kernel.
 */
function leastBytes(shape: RowsShape, kind: RowKind): number {
  const { pageBytes } = pageShape({ count: 2 ** 32, strideBytes: strideBytesOf(shape)[kind] }, 0)
  return kind === 'links' ? pageBytes : 2 * (2 * shape.m + 1) * pageBytes
}

/**
 * Divides the bytes of pages in proportion to the bytes of each kind, but gives each the least that a search needs.
 * When the graph is walked on quantized vectors, they and the links come first: a search reads many of them, and few
 * vectors.
 */
function sharePages(shape: RowsShape, pageBytes: number): Record<RowKind, number> {
  const strides = strideBytesOf(shape)
  const all = (kind: RowKind): number => shape.count * strides[kind]
  if (pageBytes >= allRowBytes(shape)) {
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
    const { first, links } = share(pageBytes, 'vectors')
    return { vectors: first, links, codes: 0 }
  }
  const walkedBytes = pageBytes - leastBytes(shape, 'vectors')
  if (walkedBytes >= all('codes') + all('links')) {
    return { vectors: pageBytes - all('codes') - all('links'), links: all('links'), codes: all('codes') }
  }
  const { first, links } = share(walkedBytes, 'codes')
  return { vectors: leastBytes(shape, 'vectors'), links, codes: first }
}
