import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches } from '../../../spill/read-batches.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { PartChecksums } from '../../format/segment/part-writer.js'
import { readGrid, type GridStore } from '../../rows/grid-store.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { PRUNE_ALPHA } from '../../rows/grid-ops.js'
import { writePart } from './shard-task.js'

/** Unites the shard rows of one segment's nodes into final links. */
export interface MergeTask {
  readonly rows: readonly BatchRef<null>[]
  readonly rowBytes: number
  readonly firstNode: number
  readonly count: number
  readonly spec: GridSpec
  readonly grid: GridStore
  /** Nodes of the layer: neighbours are below it. */
  readonly nodeCount: number
  readonly maxDegree: number
  /** Codes held at once, with their nodes' numbers; the segment is pruned in chunks of nodes that stay below it. */
  readonly chunkBytes: number
  /** The links segment; absent in upper layers, whose links go to the output. */
  readonly links: { readonly path: string; readonly dataOffset: number } | undefined
  readonly output: Uint8Array | undefined
}

export interface MergeResult {
  readonly checksums: PartChecksums | undefined
  readonly degreeSum: number
}

/**
 * Unites a node's rows from all shards it was in, drops repeats, sorts by distance, prunes (α = 1.2, at most
 * `maxDegree`) and writes the segment: fixed rows of `[u32 count][maxDegree x u32 node]`.
 */
export function mergeSegment(kernel: Kernel, task: MergeTask): MergeResult {
  const linkBytes = 4 * (1 + task.maxDegree)
  // In kernel memory, like everything large here: it is used again, and never fragments a heap.
  const links = kernel.alloc(task.count * linkBytes)
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
  const bytes = kernel.u8(links, task.count * linkBytes)
  task.output?.set(bytes)
  return { checksums: task.links && writePart(task.links, bytes), degreeSum }
}

/** Shard rows of the segment, findable by node: see kernel/merge-functions.ts. */
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

/** As many nodes from `from` on as the chunk has room for the codes of their candidates: these are read in one sorted pass. */
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
  const mark = kernel.mark()
  const limit = Math.max(widest, Math.floor(task.chunkBytes / (rowBytes + 4)))
  const nodes = kernel.alloc(4 * Math.min(limit, task.nodeCount))
  const scratch = kernel.alloc(40 * widest)
  kernel.u8(bits, 8 * words).fill(0)
  const end = fn.mergeMark(starts, places, from, task.count, limit, bits)
  const count = fn.mergeRank(bits, words, ranks, nodes)
  const codes = kernel.alloc(count * rowBytes)
  readGrid(task.grid, kernel.u32(nodes, count), kernel.u8(codes, count * rowBytes))
  const link = kind === 'i16' ? fn.mergeLinksI16 : fn.mergeLinksF32
  const { maxDegree } = task
  const degreeSum = link(
    starts,
    places,
    from,
    end,
    bits,
    ranks,
    codes,
    gridDims,
    maxDegree,
    PRUNE_ALPHA,
    widest,
    scratch,
    links,
  )
  kernel.release(mark)
  return { end, degreeSum }
}
