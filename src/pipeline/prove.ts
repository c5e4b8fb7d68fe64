import { writeFailure } from '../format/bytes/file-errors.js'
import { patchSegment } from '../format/segment/patch-segment.js'
import { RecallTooLowError, UnreachableNodesError } from '../errors.js'
import type { RecallInterval } from '../api/measure.js'
import type { SegmentChecksums } from '../format/segment/segment-checksums.js'
import type { Uses } from './run/run.js'
import { SALT_PROOF } from '../rows/hash-ordinal.js'
import { fileOfNode, readRows } from '../rows/open-rows.js'
import { sampleNodes } from '../rows/sample-nodes.js'
import type { ExactTask } from '../tasks/prove/exact-task.js'
import { NO_NEIGHBOUR, emptyLists, insertNearest, type NearestLists } from '../search/measure/nearest-lists.js'
import { recallOf } from '../search/measure/recall-of.js'
import { selfRecallOf } from '../search/measure/self-recall-of.js'
import type { ProofGraph } from '../tasks/prove/proof-graph.js'
import type { ReachResult, ReachTask } from '../tasks/prove/reach-task.js'
import type { RecallTask } from '../tasks/prove/recall-task.js'
import type { GraphOrigin } from './report/graph-origin.js'
import { lowRecallText } from './report/low-recall.js'
import { quantizedFileBytes } from '../plan/plan-build.js'
import { nodeByOrdinalBytes, upperLevelBytes, type BuildSizes, type StageMemory } from '../plan/stage-memory.js'
import { linksStrideBytes } from '../format/segment/segment-file.js'

export interface Proof extends Recall {
  readonly reachable: number
  readonly repaired: number
  /** Nodes by their number of links on level 0, repairs included. */
  readonly degreeCounts: Uint32Array
}

export interface Recall {
  readonly recallAt10: number
  readonly recallInterval: RecallInterval
  /** Share of the sampled vectors that found themselves. Undefined for ip: a vector need not be its own nearest. */
  readonly selfRecall: number | undefined
}

/** Sampled vectors whose neighbours are searched and compared. Standard error of the mean at 0.95: below 0.006. */
const PROOF_QUERIES = 200
const PROOF_K = 10
const PROOF_EF = 64
/** Of an index of one vector. */
const NOTHING_TO_FIND = { recallAt10: 1, recallInterval: { low: 1, high: 1 } }

/**
 * Always checks that every node is reachable from the entry point, and links and counts those that are not. Always
 * measures recall@10 at ef 64 on sampled vectors against exact search; both sides leave out the vector itself. The same
 * searches tell how many of the vectors find themselves. Warns when either is low.
 */
export async function prove(
  run: Uses<'options' | 'plan' | 'tasks' | 'log'>,
  graph: ProofGraph,
  linkChecksums: readonly SegmentChecksums[],
  maxSquaredNorm: number,
  made: GraphOrigin['chosen'],
): Promise<Proof> {
  const { seed, minRecall, quantization } = run.options
  const questions = askNeighbours(graph, seed)
  const { reach, exact } = await walkAndScan(run, graph, questions, maxSquaredNorm)
  const { repaired, degreeCounts } = await repair(run, graph, linkChecksums, reach)
  const recall = await measureRecall(run, graph, questions, exact)
  const { recallAt10 } = recall
  if (minRecall !== undefined && recallAt10 < minRecall) throw new RecallTooLowError({ recallAt10, minRecall })
  const warning = lowRecallText(recall, made, quantization)
  if (warning !== undefined) run.log.event('low-recall', warning)
  return { reachable: graph.count, repaired, ...recall, degreeCounts }
}

/** The sampled nodes whose neighbours are searched. */
interface Questions {
  readonly nodes: Uint32Array
  readonly queries: Float32Array
  readonly queryCount: number
  /** Neighbours to find, not counting the node itself; at least 1. */
  readonly neighbours: number
  /** The neighbours and the node itself. */
  readonly k: number
}

/** Undefined when there is only one node, which has no neighbours. */
function askNeighbours(graph: ProofGraph, seed: number): Questions | undefined {
  const neighbours = Math.min(PROOF_K, graph.count - 1)
  if (neighbours === 0) return undefined
  const nodes = sampleNodes(graph.count, PROOF_QUERIES, seed, SALT_PROOF)
  return { nodes, queries: readQueries(graph, nodes), queryCount: nodes.length, neighbours, k: neighbours + 1 }
}

/**
 * Runs the walk and the exact scans at the same time, because exact search does not need links. On SIFT 100k the walk
 * takes a tenth of their time.
 */
async function walkAndScan(
  { tasks, log }: Uses<'tasks' | 'log'>,
  graph: ProofGraph,
  questions: Questions | undefined,
  maxSquaredNorm: number,
): Promise<{ reach: ReachResult; exact: NearestLists }> {
  const { metric, dimensions } = graph
  const { queries, queryCount, k } = questions ?? { queries: new Float32Array(0), queryCount: 0, k: 1 }
  tasks.share(queries)
  const exact = emptyLists(queryCount, k)
  const scans = (questions === undefined ? [] : graph.vectors).map((vectors): ExactTask => {
    return { metric, dimensions, vectors, queries, queryCount, k, maxSquaredNorm }
  })
  const walk: ReachTask = { graph }
  let reach: ReachResult | undefined
  let scanned = 0
  await tasks.runAll<ReachTask | ExactTask, ReachResult | NearestLists>(
    [walk, ...scans],
    (task) =>
      'vectors' in task
        ? tasks.run('exact', task, `exact search in ${task.vectors.path}`)
        : tasks.run('reach', task, 'reachability'),
    (result, task) => {
      if ('reachableBefore' in result) {
        reach = result
      } else if ('vectors' in task) {
        unite(exact, result, queryCount)
        scanned += task.vectors.count
        log.progress(scanned, graph.count, 'vectors')
      }
    },
  )
  if (reach === undefined) throw new Error('the walk was not made')
  return { reach, exact }
}

/**
 * Returns the number of nodes that were unreachable, and the degrees of all. Afterwards all nodes are reachable, or
 * this throws.
 */
async function repair(
  { tasks, log }: Uses<'tasks' | 'log'>,
  graph: ProofGraph,
  linkChecksums: readonly SegmentChecksums[],
  reach: ReachResult,
): Promise<Pick<Proof, 'repaired' | 'degreeCounts'>> {
  const unreachable = graph.count - reach.reachableBefore
  if (unreachable === 0) return { repaired: 0, degreeCounts: reach.degreeCounts }
  const stride = linksStrideBytes(graph.m)
  for (const { node, row } of reach.patches) {
    const segment = fileOfNode(graph.links, node)
    const { path, firstNode } = graph.links[segment]
    await patchSegment(path, linkChecksums[segment], (node - firstNode) * stride, new Uint8Array(row.buffer))
  }
  const again = await tasks.run('reach', { graph } satisfies ReachTask, 'reachability after repair')
  if (again.reachableBefore !== graph.count) {
    throw new UnreachableNodesError({ unreachable: graph.count - again.reachableBefore, count: graph.count })
  }
  log.event(
    'repaired',
    `${unreachable} of ${graph.count} nodes were unreachable from the entry point; ${reach.linked} links made all reachable`,
  )
  return { repaired: unreachable, degreeCounts: again.degreeCounts }
}

async function measureRecall(
  { plan, tasks }: Uses<'plan' | 'tasks'>,
  graph: ProofGraph,
  questions: Questions | undefined,
  exact: NearestLists,
): Promise<Recall> {
  const isOwnNearest = graph.metric !== 'ip'
  if (questions === undefined) return { ...NOTHING_TO_FIND, selfRecall: isOwnNearest ? 1 : undefined }
  const { nodes, queries, queryCount, k, neighbours } = questions
  const inMemory = plan.searchInMemory
  const search: RecallTask = { graph, queries, queryCount, k, ef: PROOF_EF, inMemory }
  const { found, selfDistances } = await tasks.run('recall', search, 'recall search')
  const { recall, interval } = recallOf(exact, found, { queryCount, neighbours, selves: nodes })
  return {
    recallAt10: recall,
    recallInterval: interval,
    selfRecall: isOwnNearest ? selfRecallOf(found, { selves: nodes, selfDistances }) : undefined,
  }
}

function readQueries(graph: ProofGraph, nodes: Uint32Array): Float32Array {
  const { dimensions } = graph
  const queries = new Float32Array(new SharedArrayBuffer(4 * nodes.length * dimensions))
  const bytes = new Uint8Array(queries.buffer)
  nodes.forEach((node, i) => {
    const file = graph.vectors[fileOfNode(graph.vectors, node)]
    try {
      readRows(file, 4 * dimensions, node, bytes.subarray(4 * i * dimensions, 4 * (i + 1) * dimensions))
    } catch (error) {
      // This runs on the coordinator, so it is not retried.
      throw writeFailure(file.path, 0, error)
    }
  })
  return queries
}

function unite(into: NearestLists, from: NearestLists, queries: number): void {
  for (let query = 0; query < queries; query++) {
    for (let at = query * from.k; at < (query + 1) * from.k; at++) {
      if (from.nodes[at] !== NO_NEIGHBOUR) insertNearest(into, query, from.nodes[at], from.distances[at])
    }
  }
}

/**
 * Marks and degrees of all nodes, and the read buffer of one walk. When there is room to search the index in memory,
 * the whole index.
 */
export function proveMemory(sizes: BuildSizes): StageMemory {
  const { count, m, vectorBytes } = sizes
  return {
    held: nodeByOrdinalBytes(sizes) + 4.25 * count + WALK_BUFFER_BYTES,
    task: 0,
    readsFiles: true,
    ifRoom: count * (vectorBytes + 4 * (2 * m + 1) + 2) + upperLevelBytes(sizes) + quantizedFileBytes(sizes),
  }
}

/** Rows and links that the walk through all nodes reads at a time. */
const WALK_BUFFER_BYTES = 8 * 2 ** 20
