/**
 * Links to the longest rows, for ip. Most inner products are largest with a few rows that are longer than the others,
 * but on the grid, where direction decides, these are near few nodes. Each node is linked to those of the longest rows
 * that its own product is largest with. A search that is anywhere near a query then reaches them in one step.
 */
import { placeBlock } from '../../../kernel/block.js'
import { LONGEST_LINKS } from '../../../kernel/blocks.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { panelRows } from '../../../kernel/panel-rows.js'
import { typedOps, type TypedOps } from '../../../kernel/typed-ops.js'
import type { BuildSizes } from '../../plan/stage-memory.js'
import type { RowFile } from '../../rows/file-rows.js'
import { openRows } from '../../rows/open-rows.js'

/** The longest vectors of a build, which every merge task gets. */
export interface LongestRows {
  readonly nodes: Uint32Array
  /** nodes.length x dimensions, in shared memory. */
  readonly rows: Float32Array
  readonly dimensions: number
}

/** Rows whose products with the longest are held at once. */
const CHUNK_ROWS = 128
/** Most bytes of the longest rows, so that their packed form stays in the cache. */
const MOST_BYTES = 2 ** 20

/** 400 of 20,000 rows are enough on every set of bench/quality; other shares were not measured there. */
const SHARE = 0.02
const LEAST = 64

export function longestCount(count: number, dimensions: number): number {
  const fitting = Math.floor(MOST_BYTES / (4 * dimensions))
  return Math.min(count, Math.max(LEAST, Math.min(fitting, Math.ceil(SHARE * count))))
}

/** Links to the longest rows, of 2m. */
export function longestPerNode(maxDegree: number): number {
  return Math.max(1, Math.floor(maxDegree / 4))
}

/**
 * Links the nodes of one segment. links: `[count][maxDegree x node]` per node, in kernel memory. Returns how many links
 * there are more than before.
 */
export function linkToLongest(
  kernel: Kernel,
  { nodes, rows: longestRows, dimensions }: LongestRows,
  vectors: RowFile,
  { links, maxDegree }: { readonly links: number; readonly maxDegree: number },
): number {
  const { fn } = kernel
  const gridDims = Math.ceil(dimensions / 8) * 8
  const ops = typedOps(kernel, 'f32', gridDims)
  const perNode = longestPerNode(maxDegree)
  const chunkRows = Math.min(CHUNK_ROWS, vectors.count)
  const mark = kernel.mark()
  const zeros = kernel.alloc(4 * Math.max(chunkRows, panelRows(nodes.length)))
  kernel.u8(zeros, 4 * Math.max(chunkRows, panelRows(nodes.length))).fill(0)
  const panels = packNegated(kernel, ops, { rows: longestRows, count: nodes.length, dimensions, gridDims })
  const read = kernel.alloc(4 * chunkRows * dimensions)
  const padded = paddedRows(kernel, chunkRows, gridDims)
  const products = kernel.alloc(4 * chunkRows * nodes.length)
  const nodesAt = kernel.alloc(4 * nodes.length)
  kernel.u32(nodesAt, nodes.length).set(nodes)
  const longest = placeBlock(kernel, LONGEST_LINKS, {
    nodes: nodesAt,
    count: nodes.length,
    perNode,
    maxDegree,
    products,
    found: kernel.alloc(4 * (3 * perNode + 2)),
  })
  const file = openRows(vectors, 4 * dimensions)
  let added = 0
  try {
    for (let done = 0; done < vectors.count; done += chunkRows) {
      const count = Math.min(chunkRows, vectors.count - done)
      const firstNode = vectors.firstNode + done
      file.read(firstNode, kernel.u8(read, 4 * count * dimensions))
      pad(kernel, read, count, dimensions, padded, gridDims)
      // With norms of 0 the distance to a negated row is twice the product, or 0 where that is below 0.
      const queries = { rows: padded, norms: zeros, count }
      ops.distances(queries, { panels, norms: zeros, count: nodes.length }, products, nodes.length)
      added += fn.linkLongest(longest, links + 4 * done * (1 + maxDegree), count, firstNode)
    }
  } finally {
    file.close()
    kernel.release(mark)
  }
  return added
}

/** The rows negated, in panels. */
function packNegated(
  kernel: Kernel,
  ops: TypedOps,
  { rows, count, dimensions, gridDims }: { rows: Float32Array; count: number; dimensions: number; gridDims: number },
): number {
  const panels = kernel.alloc(4 * panelRows(count) * gridDims)
  const mark = kernel.mark()
  const negated = paddedRows(kernel, count, gridDims)
  const into = kernel.f32(negated, count * gridDims)
  for (let row = 0; row < count; row++) {
    for (let d = 0; d < dimensions; d++) into[row * gridDims + d] = -rows[row * dimensions + d]
  }
  ops.pack(negated, count, panels)
  kernel.release(mark)
  return panels
}

/** Room for rows of gridDims, zero. */
function paddedRows(kernel: Kernel, count: number, gridDims: number): number {
  const at = kernel.alloc(4 * count * gridDims)
  kernel.u8(at, 4 * count * gridDims).fill(0)
  return at
}

function pad(kernel: Kernel, rows: number, count: number, dimensions: number, padded: number, gridDims: number): void {
  const from = kernel.f32(rows, count * dimensions)
  const to = kernel.f32(padded, count * gridDims)
  for (let row = 0; row < count; row++) {
    to.set(from.subarray(row * dimensions, (row + 1) * dimensions), row * gridDims)
  }
}

/** The longest rows packed and once more while they are packed, a chunk of vectors, and its products. */
export function linkLongestBytes({ count, dimensions, gridDims }: BuildSizes): number {
  const longest = longestCount(count, dimensions)
  return 4 * ((longest + panelRows(longest)) * gridDims + CHUNK_ROWS * (dimensions + gridDims + longest) + 3 * longest)
}
