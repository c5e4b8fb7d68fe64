import type { Kernel } from '../../../kernel/kernel.js'
import { detached, type ShardGraph } from '../../engines/shard-engine.js'
import { SearchCore } from '../../search/core/search-core.js'
import type { Metric } from '../../api/vectors.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { buildGraph } from './build-graph.js'
import type { GraphTask } from './graph-task.js'
import { rowsOf } from './finer-graphs.js'
import { pruneGraph } from './prune-graph.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'
import { emptyLists, insertNearest } from '../../search/measure/nearest-lists.js'
import { recallOf } from '../../search/measure/recall-of.js'
import { scanRows } from '../../search/measure/scan-rows.js'
import { linkUpperLevel } from './upper-task.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'
import { sampleRows } from '../../plan/sample-rows.js'
import type { BuildSizes } from '../../plan/stage-memory.js'

/** A small index of sampled vectors, searched with sampled vectors that are not in it. */
export interface TrialTask extends GraphTask {
  /**
   * Row-major float32, unit length for cosine, in random order. The first `rowCount` rows are linked, the next
   * `queryCount` are queries.
   */
  readonly sample: Uint8Array
  readonly rowCount: number
  readonly queryCount: number
  readonly metric: Metric
  /** Largest squared norm of the data: ip's R². */
  readonly maxSquaredNorm: number
}

export interface TrialResult {
  readonly recallAt10: number
}

const K = 10
const EF = 64
/** Every UPPER_STEP-th row is on the level above, where searches begin. */
const UPPER_STEP = 16

export async function tryQuality(kernel: Kernel, task: TrialTask): Promise<TrialResult> {
  const { spec, engine, quality, metric, m, seed, rowCount, queryCount } = task
  const { dimensions } = spec
  const rowBytes = 4 * dimensions
  const rows = task.sample.subarray(0, rowCount * rowBytes)
  const codes = encodeRows(kernel, spec, rows, rowCount)
  const how: GraphTask = { spec, engine, quality, m, seed }
  const candidates = await buildGraph(kernel, how, codes, rowCount, {
    count: rowCount,
    below: Number.POSITIVE_INFINITY,
    read: (members) => rowsOf(floats(rows), dimensions, members),
  })
  const graph = pruneGraph(kernel, spec, codes, detached(candidates), 2 * m)
  const upperLevels = await linkLevelAbove(kernel, how, codes, rowCount)

  const entryPoint = { index: 0 }
  const core = new SearchCore(kernel, {
    metric,
    dimensions,
    count: rowCount,
    m,
    entryPoint,
    upperLevels,
    maxEf: EF,
  })
  core.vectorsAt(0, rowCount).set(rows)
  writeLinks(graph, 2 * m, core.linksAt(0, rowCount))

  const queries = floats(task.sample.subarray(rowCount * rowBytes, (rowCount + queryCount) * rowBytes))
  const k = Math.min(K, rowCount)
  const { maxSquaredNorm } = task
  const exact = scanRows(
    kernel,
    { metric, dimensions, queries, queryCount, k, maxSquaredNorm },
    {
      first: 0,
      count: rowCount,
      read: (first, into) => into.set(rows.subarray(first * rowBytes, first * rowBytes + into.length)),
    },
  )
  const found = emptyLists(queryCount, k)
  for (let query = 0; query < queryCount; query++) {
    const hits = core.search(queries.subarray(query * dimensions, (query + 1) * dimensions), k, EF)
    for (let i = 0; i < hits; i++) insertNearest(found, query, core.nodes[i], core.distances[i])
  }
  return { recallAt10: recallOf(exact, found, { queryCount, neighbours: k }).recall }
}

function encodeRows(kernel: Kernel, spec: GridSpec, rows: Uint8Array, count: number): number {
  const ops = gridOps(kernel, spec)
  const codes = kernel.alloc(count * ops.rowBytes)
  const mark = kernel.mark()
  const encode = gridEncoder(kernel, spec)
  const from = kernel.alloc(rows.length)
  kernel.u8(from, rows.length).set(rows)
  encode(from, count, codes)
  kernel.release(mark)
  return codes
}

/** Links a level like level 1 of an index. Without it a search could not get from one cluster to another. */
async function linkLevelAbove(kernel: Kernel, how: GraphTask, codes: number, count: number): Promise<UpperLevel[]> {
  const nodes = Uint32Array.from({ length: Math.ceil(count / UPPER_STEP) }, (_, i) => i * UPPER_STEP)
  const { rowBytes } = gridOps(kernel, how.spec)
  const bytes = kernel.u8(codes, count * rowBytes).slice()
  const { links } = await linkUpperLevel(kernel, { ...how, nodes, grid: { kind: 'memory', rowBytes, bytes } })
  return [{ nodes, down: nodes, links }]
}

function writeLinks(graph: ShardGraph, maxDegree: number, into: Uint8Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length >>> 2)
  for (let node = 0; node + 1 < graph.offsets.length; node++) {
    const row = graph.neighbours.subarray(graph.offsets[node], graph.offsets[node + 1])
    words[node * (1 + maxDegree)] = row.length
    words.set(row, node * (1 + maxDegree) + 1)
  }
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

/** Sampled rows of a trial. The last TRIAL_QUERIES of them are queries and are not linked. */
const TRIAL_ROWS = 4096
export const TRIAL_QUERIES = 256

/** Rows of the sample that a trial may use: no more than a shard, which must fit anyway. */
export function trialRows({
  count,
  dimensions,
  geometry,
}: Pick<BuildSizes, 'count' | 'dimensions' | 'geometry'>): number {
  return Math.min(TRIAL_ROWS, geometry.shardMembers, sampleRows(count, dimensions))
}

/** The engine's build, then vectors and links beside the grid rows. */
export function trialTaskBytes(sizes: BuildSizes): number {
  const { m, vectorBytes, gridRowBytes, gridDims, engine } = sizes
  const rows = trialRows(sizes)
  const searched = rows * (2 * vectorBytes + 4 * (2 * m + 1))
  return 2 * rows * gridRowBytes + Math.max(engine.workerBytes(rows, gridDims, m), searched)
}
