import type { Kernel } from '../../../kernel/kernel.js'
import { linksStrideBytes } from '../../format/segment-header.js'
import { FileGraph } from '../../search/file-graph.js'
import { searchGraph } from '../../search/graph-search.js'
import { SearchCore } from '../../search/search-core.js'
import { readRows } from '../row-files.js'
import { emptyLists, insertNearest, type NearestLists } from '../../search/nearest-lists.js'
import type { ProofGraph } from './proof-graph.js'

/** Searches the finished graph for some queries, as a user will. */
export interface RecallTask {
  readonly graph: ProofGraph
  /** Row-major float32, unit length for cosine. */
  readonly queries: Float32Array
  readonly queryCount: number
  readonly k: number
  readonly ef: number
  /** The whole graph in this thread's memory; otherwise row by row from the files. */
  readonly inMemory: boolean
}

export function searchFinished(kernel: Kernel, task: RecallTask): NearestLists {
  return task.inMemory ? searchInMemory(kernel, task) : searchFiles(kernel, task)
}

function searchInMemory(kernel: Kernel, { graph, queries, queryCount, k, ef }: RecallTask): NearestLists {
  const { metric, dimensions: dims, count, m, entryPoint, upperLevels } = graph
  const core = new SearchCore(kernel, { metric, dims, count, m, entryPoint, upperLevels, maxEf: Math.max(k, ef) })
  for (const file of graph.vectors) readRows(file, 4 * dims, file.firstNode, core.vectorsAt(file.firstNode, file.count))
  for (const file of graph.links) {
    readRows(file, linksStrideBytes(m), file.firstNode, core.linksAt(file.firstNode, file.count))
  }
  const lists = emptyLists(queryCount, k)
  for (let query = 0; query < queryCount; query++) {
    const found = core.search(queries.subarray(query * dims, (query + 1) * dims), k, ef)
    for (let i = 0; i < found; i++) insertNearest(lists, query, core.nodes[i], core.distances[i])
  }
  return lists
}

function searchFiles(kernel: Kernel, { graph, queries, queryCount, k, ef }: RecallTask): NearestLists {
  const { metric, dimensions: dims, m, vectors, links, entryPoint, upperLevels } = graph
  const files = new FileGraph(kernel, { metric, dims, m, vectors, links })
  try {
    const lists = emptyLists(queryCount, k)
    for (let query = 0; query < queryCount; query++) {
      files.setQuery(queries.subarray(query * dims, (query + 1) * dims))
      for (const { node, distance } of searchGraph(files, { upperLevels, index: entryPoint.index, m }, k, ef)) {
        insertNearest(lists, query, node, distance)
      }
    }
    return lists
  } finally {
    files.close()
  }
}
