import { placeBlock } from '../../../kernel/block.js'
import { MERGE_LINKS } from '../../../kernel/blocks.js'
import { CALL_ROWS } from '../../../kernel/call-rows.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { KIND_SUFFIX, PRUNE_ALPHA } from '../../../kernel/typed-ops.js'
import { gridOps } from '../../rows/grid-ops.js'
import { readBatches } from '../../../spill/read-batches.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { PartChecksums } from '../../format/segment/segment-checksums.js'
import { readGrid, type GridStore } from '../../rows/grid-store.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import type { RowFile } from '../../rows/file-rows.js'
import { linkLongestBytes, linkToLongest, type LongestRows } from './link-longest.js'
import { writePart } from './shard-task.js'
import { graphRowBytes } from '../../plan/graph-row-bytes.js'
import { segmentNodes } from '../../plan/segment-size.js'
import type { BuildSizes } from '../../plan/stage-memory.js'

/** Unites the shard rows of one segment's nodes into final links. */
export interface MergeTask {
  readonly rows: readonly BatchRef<null>[]
  readonly rowBytes: number
  readonly firstNode: number
  readonly count: number
  readonly spec: GridSpec
  readonly grid: GridStore
  /** Nodes of the layer; neighbours are below this. */
  readonly nodeCount: number
  readonly maxDegree: number
  /**
   * Limit of the codes and their node numbers held at once. The segment is pruned in chunks of nodes that stay below
   * it.
   */
  readonly chunkBytes: number
  /** The links segment; absent in upper layers, whose links go to the output. */
  readonly links: { readonly path: string; readonly dataOffset: number } | undefined
  readonly output: Uint8Array | undefined
  /** Level 0 of an ip build links its nodes to these as well, by the vectors of the segment. */
  readonly longest: { readonly longestRows: LongestRows; readonly vectors: RowFile } | undefined
}

export interface MergeResult {
  readonly checksums: PartChecksums | undefined
  readonly degreeSum: number
}

/**
 * Unites each node's rows from all its shards, drops repeats, sorts by distance, prunes (α = 1.2, at most `maxDegree`)
 * and writes the segment: fixed rows of `[u32 count][maxDegree x u32 node]`.
 */
export function mergeSegment(kernel: Kernel, task: MergeTask): MergeResult {
  const linkBytes = 4 * (1 + task.maxDegree)
  // All large buffers here are in kernel memory, which is reused and never fragments the heap.
  const links = kernel.alloc(task.count * linkBytes)
  const mark = kernel.mark()
  const rows = loadRows(kernel, task)
  const bitWords = Math.ceil(task.nodeCount / 64)
  const marks = { bits: kernel.alloc(8 * bitWords), words: bitWords, ranks: kernel.alloc(4 * bitWords) }
  kernel.u8(links, task.count * linkBytes).fill(0)
  let degreeSum = 0
  for (let from = 0; from < task.count;) {
    const chunk = mergeChunk(kernel, task, rows, marks, from, links + from * linkBytes)
    degreeSum += chunk.degreeSum
    from = chunk.end
  }
  kernel.release(mark)
  if (task.longest !== undefined) {
    const { longestRows, vectors } = task.longest
    degreeSum += linkToLongest(kernel, longestRows, vectors, { links, maxDegree: task.maxDegree })
  }
  const bytes = kernel.u8(links, task.count * linkBytes)
  task.output?.set(bytes)
  return { checksums: task.links && writePart(task.links, bytes), degreeSum }
}

/** Shard rows of the segment, indexed by node: see `mergePlaceRows` in kernel/build-functions.ts. */
interface SegmentRows {
  readonly starts: number
  readonly places: number
  readonly widest: number
}

function loadRows(kernel: Kernel, task: MergeTask): SegmentRows {
  const { firstNode, count } = task
  const base = kernel.alloc(task.rowBytes)
  const starts = kernel.alloc(4 * (count + 2))
  const room = kernel.u8(base, task.rowBytes)
  let bytes = 0
  for (const batch of readBatches<null>(task.rows)) {
    room.set(batch.bytes, bytes)
    bytes += batch.bytes.length
  }
  const rowCount = kernel.fn.mergeCountRows(base, bytes, firstNode, count, starts)
  const places = kernel.alloc(4 * rowCount)
  const widest = kernel.fn.mergePlaceRows(base, bytes, firstNode, count, starts, places)
  return { starts, places, widest }
}

/**
 * Merges as many nodes from `from` on as the chunk has room for the codes of their candidates. The codes are read in
 * one sorted pass.
 */
function mergeChunk(
  kernel: Kernel,
  task: MergeTask,
  { starts, places, widest }: SegmentRows,
  { bits, words, ranks }: { readonly bits: number; readonly words: number; readonly ranks: number },
  from: number,
  links: number,
): { end: number; degreeSum: number } {
  const { fn } = kernel
  const { gridDims, kind } = task.spec
  const { rowBytes } = task.grid
  const linkBytes = 4 * (1 + task.maxDegree)
  const mark = kernel.mark()
  const limit = Math.max(widest, Math.floor(task.chunkBytes / (rowBytes + 8)))
  const nodes = kernel.alloc(4 * Math.min(limit, task.nodeCount))
  const scratch = kernel.alloc(40 * widest)
  kernel.u8(bits, 8 * words).fill(0)
  const end = fn.mergeMark(starts, places, from, task.count, limit, bits)
  const count = fn.mergeRank(bits, words, ranks, nodes)
  const codes = kernel.alloc(count * rowBytes)
  const norms = kernel.alloc(4 * count)
  readGrid(task.grid, kernel.u32(nodes, count), kernel.u8(codes, count * rowBytes))
  gridOps(kernel, task.spec).norms(codes, count, norms)
  const chunk = {
    alpha: PRUNE_ALPHA,
    starts,
    places,
    bits,
    ranks,
    grid: codes,
    norms,
    gridDims,
    maxDegree: task.maxDegree,
    widest,
    scratch,
  }
  let degreeSum = 0
  for (let first = from; first < end; first += CALL_ROWS) {
    const rows = { from: first, to: Math.min(end, first + CALL_ROWS), links: links + (first - from) * linkBytes }
    degreeSum += fn[`mergeLinks${KIND_SUFFIX[kind]}`](placeBlock(kernel, MERGE_LINKS, { ...chunk, ...rows }))
  }
  kernel.release(mark)
  return { end, degreeSum }
}

/** Bytes of grid rows, their norms and node numbers that one chunk may contain. */
export const MERGE_CHUNK_BYTES = 16 * 2 ** 20

/**
 * The rows of one segment's nodes with their links, marks of all nodes, and a chunk of grid rows; when these are done,
 * what links to the longest rows takes.
 */
export function mergeTaskBytes(sizes: BuildSizes): number {
  const { count, m, geometry } = sizes
  const nodes = segmentNodes(sizes)
  // Each row also takes 4 bytes for its place.
  const rows = geometry.overlap * (graphRowBytes(2 * m) + 4) + 4
  // Marks of a chunk's candidates: one bit per node, and 4 bytes per 64 nodes.
  const marks = (count * 3) / 16
  const merging = nodes * rows + marks + MERGE_CHUNK_BYTES
  return nodes * 4 * (2 * m + 1) + Math.max(merging, linkLongestBytes(sizes))
}
