/** Exact neighbours of many queries at once: every row is read once, and compared with all queries in SIMD tiles. */
import { placeBlock, setBlock } from '../../../kernel/block.js'
import { GRID_ENCODER } from '../../../kernel/blocks.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { panelRows } from '../../../kernel/panel-rows.js'
import { typedOps } from '../../../kernel/typed-ops.js'
import type { Metric } from '../../api/vectors.js'
import { emptyLists, insertNearest, type NearestLists } from './nearest-lists.js'
import { distanceBias } from '../core/search-context.js'

export interface ExactQueries {
  readonly metric: Metric
  readonly dimensions: number
  /** Row-major float32, unit length for cosine. */
  readonly queries: Float32Array
  readonly queryCount: number
  readonly k: number
  /** Largest squared norm of the data: ip's R². */
  readonly maxSquaredNorm: number
}

/** Consecutive rows, from node `first` on, row-major float32. */
export interface RowsToScan {
  readonly first: number
  readonly count: number
  /** Fills `into` with the rows from node `first` on. */
  read(first: number, into: Uint8Array): void
}

/** Rows per tile call: their packed form stays in the L2 cache for d = 128. */
const CHUNK_BYTES = 2 ** 20
/** Bytes of distances: as many queries are compared with a chunk at once as these have room for. */
const DISTANCES_BYTES = 4 * 2 ** 20
/**
 * The tile's |a|² + |b|² − 2ab rounds, so k and this many more candidates are scored again by plain differences. With
 * the proof's k that is 16, the most that the selecting kernel takes at full speed.
 */
const SPARE = 5

/**
 * Exact neighbours of many queries: reads every row once and compares it with all queries in SIMD tiles. The f32 tile
 * finds candidates; their distances then come from the search kernel's function, to the bit.
 */
export function scanRows(kernel: Kernel, asked: ExactQueries, scanned: RowsToScan): NearestLists {
  const steps = scanSteps(kernel, asked, scanned)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * As `scanRows`, one chunk of rows at a time: yields the number of rows done, and returns the lists. Takes kernel
 * memory until the caller releases its mark: three chunks, their distances, and the queries twice.
 */
export function* scanSteps(
  kernel: Kernel,
  asked: ExactQueries,
  scanned: RowsToScan,
): Generator<number, NearestLists, void> {
  const { metric, dimensions, queryCount, k } = asked
  const { fn } = kernel
  const gridDims = Math.ceil((dimensions + (metric === 'ip' ? 1 : 0)) / 8) * 8
  const ops = typedOps(kernel, 'f32', gridDims)
  // Whole groups of four rows.
  const chunkRows = 4 * Math.max(1, Math.floor(CHUNK_BYTES / (16 * gridDims)))
  const blockQueries = Math.max(1, Math.min(queryCount, Math.floor(DISTANCES_BYTES / (4 * chunkRows))))
  const wanted = k + SPARE
  const mean = kernel.alloc(4 * gridDims)
  const queries = kernel.alloc(4 * queryCount * dimensions)
  const paddedQueries = kernel.alloc(4 * queryCount * gridDims)
  const queryNorms = kernel.alloc(4 * queryCount)
  const rows = kernel.alloc(4 * chunkRows * dimensions)
  const padded = kernel.alloc(4 * chunkRows * gridDims)
  const panels = kernel.alloc(4 * panelRows(chunkRows) * gridDims)
  const norms = kernel.alloc(4 * chunkRows)
  const distances = kernel.alloc(4 * blockQueries * chunkRows)
  const index = kernel.alloc(8 * wanted)
  kernel.f32(mean, gridDims).fill(0)
  if (metric !== 'ip') kernel.f32(mean, gridDims).set(meanOf(asked))
  kernel.f32(queries, queryCount * dimensions).set(asked.queries)
  // f32 rows are neither scaled nor clamped.
  const values = { scale: 1, maxSquaredNorm: 0, radiusSquared: -1, mean, dimensions, gridDims }
  const encoder = placeBlock(kernel, GRID_ENCODER, values)
  fn.encodeF32(encoder, queries, queryCount, paddedQueries)
  ops.norms(paddedQueries, queryCount, queryNorms)
  if (metric === 'ip') setBlock(kernel, encoder, GRID_ENCODER, { radiusSquared: asked.maxSquaredNorm })
  const lists = emptyLists(queryCount, k)
  // Error of one distance per unit of the two squared norms: kernel/assembly/distance/distances.ts.
  const tileError = (gridDims + 4) * 2 ** -23
  const kthDistances = new Float64Array(queryCount).fill(Number.POSITIVE_INFINITY)

  let largestNorm = 0

  for (let done = 0; done < scanned.count; done += chunkRows) {
    const count = Math.min(chunkRows, scanned.count - done)
    const first = scanned.first + done
    scanned.read(first, kernel.u8(rows, 4 * count * dimensions))
    fn.encodeF32(encoder, rows, count, padded)
    ops.pack(padded, count, panels)
    ops.norms(padded, count, norms)
    largestNorm = kernel.f32(norms, count).reduce((most, norm) => Math.max(most, norm), largestNorm)
    const queryNormsView = kernel.f32(queryNorms, queryCount)
    for (let query = 0; query < queryCount; query++) {
      const place = query % blockQueries
      if (place === 0) {
        const size = Math.min(blockQueries, queryCount - query)
        const block = { rows: paddedQueries + 4 * query * gridDims, norms: queryNorms + 4 * query, count: size }
        ops.distances(block, { panels, norms, count }, distances, count)
      }
      const found = fn.nearestWords(distances + 4 * place * count, count, wanted, index, index + 4 * wanted)
      const tileDistances = kernel.f32(index + 4 * wanted, found)
      const places = kernel.u32(index, found)
      // k rows are at most this far: rows that the tile puts farther by more than its error are not among the k.
      if (found >= k) kthDistances[query] = Math.min(kthDistances[query], tileDistances[k - 1])
      const beyond = kthDistances[query] + 2 * tileError * (queryNormsView[query] + largestNorm)
      const score = (inChunk: number): void => {
        const row = rows + 4 * inChunk * dimensions
        const from = queries + 4 * query * dimensions
        const distance =
          metric === 'l2'
            ? fn.searchDistanceL2(from, row, dimensions)
            : fn.searchDistanceDot(from, row, dimensions, distanceBias(metric))
        insertNearest(lists, query, first + inChunk, distance)
      }
      if (found < wanted || tileDistances[wanted - 1] > beyond) {
        for (let i = 0; i < found && tileDistances[i] <= beyond; i++) score(places[i])
      } else if (metric !== 'l2' || lists.distances[(query + 1) * k - 1] > 0) {
        // The tile cannot tell enough near rows apart, unless k rows are at 0 already, where no row can be nearer.
        const all = kernel.f32(distances + 4 * place * count, count)
        for (let inChunk = 0; inChunk < count; inChunk++) if (all[inChunk] <= beyond) score(inChunk)
      }
    }
    yield done + count
  }
  return lists
}

/**
 * Mean of the queries, which is subtracted from both sides. Distances do not change, and with data far from the origin
 * they are not lost in the rounding of large norms.
 */
function meanOf({ queries, queryCount, dimensions }: ExactQueries): Float64Array {
  const mean = new Float64Array(dimensions)
  for (let query = 0; query < queryCount; query++) {
    for (let d = 0; d < dimensions; d++) mean[d] += queries[query * dimensions + d] / queryCount
  }
  return mean
}
