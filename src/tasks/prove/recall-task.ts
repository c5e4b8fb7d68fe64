import type { Kernel } from '../../../kernel/kernel.js'
import { linksStrideBytes } from '../../format/segment/segment-file.js'
import { allRowBytes, leastPageBytes, nearLayout } from '../../search/core/row-layout.js'
import { FileGraph } from './file-graph.js'
import { FileRows, type RowFile } from '../../rows/file-rows.js'
import { searchGraph } from './search-graph.js'
import { SearchCore } from '../../search/core/search-core.js'
import { distanceBias } from '../../search/core/search-context.js'
import { readRows } from '../../rows/open-rows.js'
import { emptyLists, insertNearest, type NearestLists } from '../../search/measure/nearest-lists.js'
import type { ProofCodes, ProofGraph } from './proof-graph.js'

/** Bytes of pages of a graph that does not fit in memory, in addition to the minimum that a search needs. */
const PAGE_CACHE_BYTES = 8 * 2 ** 20

/** Searches the finished graph for some queries, as a user would. */
export interface RecallTask {
  readonly graph: ProofGraph
  /** Row-major float32, unit length for cosine. */
  readonly queries: Float32Array
  readonly queryCount: number
  readonly k: number
  readonly ef: number
  /** Holds the whole graph in this thread's memory; otherwise rows are read from the files as they are needed. */
  readonly inMemory: boolean
}

export interface RecallResult {
  readonly found: NearestLists
  /** By query, its distance to itself, to the bit as a search computes it. */
  readonly selfDistances: Float32Array
}

export function searchFinished(kernel: Kernel, task: RecallTask): RecallResult {
  return { selfDistances: distancesToSelf(kernel, task), found: search(kernel, task) }
}

function distancesToSelf(kernel: Kernel, { graph, queries, queryCount }: RecallTask): Float32Array {
  const { metric, dimensions } = graph
  const { fn } = kernel
  const mark = kernel.mark()
  const vector = kernel.alloc(4 * dimensions)
  const distances = Float32Array.from({ length: queryCount }, (_, query) => {
    kernel.f32(vector, dimensions).set(queries.subarray(query * dimensions, (query + 1) * dimensions))
    return metric === 'l2'
      ? fn.searchDistanceL2(vector, vector, dimensions)
      : fn.searchDistanceDot(vector, vector, dimensions, distanceBias(metric))
  })
  kernel.release(mark)
  return distances
}

/**
 * Searches in one of three ways, with the same results. Vectors without codes are read whole when they fit, which takes
 * 0.6 of the time that pages take (10,000 vectors of 128 dimensions). When they do not fit, `FileGraph` reads single
 * rows. That is slower than pages, but it needs neither the upper levels nor a mark for each node in kernel memory,
 * about 6 bytes per node.
 */
function search(kernel: Kernel, task: RecallTask): NearestLists {
  const { codes } = task.graph
  if (codes !== undefined) return searchCodes(kernel, task, codes)
  return task.inMemory ? searchInMemory(kernel, task) : searchFiles(kernel, task)
}

/** Searches in pages, like an open index. Pages stay in memory when all of them fit. */
function searchCodes(kernel: Kernel, task: RecallTask, { shape, codebook, files }: ProofCodes): NearestLists {
  const { graph, k, ef, inMemory } = task
  const { metric, dimensions, count, m, entryPoint, upperLevels } = graph
  const rows = { count, dimensions, m, codes: shape }
  const opened: FileRows[] = []
  const open = (from: readonly RowFile[], strideBytes: number): FileRows => {
    const source = new FileRows(from, strideBytes)
    opened.push(source)
    return source
  }
  try {
    const core = new SearchCore(kernel, {
      metric,
      dimensions,
      count,
      m,
      entryPoint,
      upperLevels,
      maxEf: Math.max(k, ef),
      codes: { shape, codebook },
      paged: {
        vectors: open(graph.vectors, 4 * dimensions),
        links: open(graph.links, linksStrideBytes(m)),
        codes: open(files, shape.strideBytes),
        layout: nearLayout(rows, inMemory ? allRowBytes(rows) : leastPageBytes(rows) + PAGE_CACHE_BYTES),
      },
    })
    return searchAll(core, task)
  } finally {
    for (const source of opened) source.close()
  }
}

function searchInMemory(kernel: Kernel, task: RecallTask): NearestLists {
  const { graph, k, ef } = task
  const { metric, dimensions, count, m, entryPoint, upperLevels } = graph
  const core = new SearchCore(kernel, { metric, dimensions, count, m, entryPoint, upperLevels, maxEf: Math.max(k, ef) })
  for (const file of graph.vectors)
    readRows(file, 4 * dimensions, file.firstNode, core.vectorsAt(file.firstNode, file.count))
  for (const file of graph.links) {
    readRows(file, linksStrideBytes(m), file.firstNode, core.linksAt(file.firstNode, file.count))
  }
  return searchAll(core, task)
}

function searchAll(core: SearchCore, { queries, queryCount, k, ef }: RecallTask): NearestLists {
  const { dimensions } = core
  const lists = emptyLists(queryCount, k)
  for (let query = 0; query < queryCount; query++) {
    const found = core.search(queries.subarray(query * dimensions, (query + 1) * dimensions), k, ef)
    for (let i = 0; i < found; i++) insertNearest(lists, query, core.nodes[i], core.distances[i])
  }
  return lists
}

function searchFiles(kernel: Kernel, { graph, queries, queryCount, k, ef }: RecallTask): NearestLists {
  const { metric, dimensions, m, vectors, links, entryPoint, upperLevels } = graph
  const files = new FileGraph(kernel, { metric, dimensions, m, vectors, links })
  try {
    const lists = emptyLists(queryCount, k)
    for (let query = 0; query < queryCount; query++) {
      files.setQuery(queries.subarray(query * dimensions, (query + 1) * dimensions))
      for (const { node, distance } of searchGraph(files, { upperLevels, index: entryPoint.index, m }, k, ef)) {
        insertNearest(lists, query, node, distance)
      }
    }
    return lists
  } finally {
    files.close()
  }
}
