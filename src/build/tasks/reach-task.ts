import type { Kernel } from '../../../kernel/kernel.js'
import { linksStrideBytes } from '../../format/segment-header.js'
import { FileGraph } from '../../search/file-graph.js'
import { searchGraph, type SearchableGraph } from '../../search/graph-search.js'
import { fileOfNode, readRows } from '../row-files.js'
import type { ProofGraph } from './proof-graph.js'

/** Walks level 0 from the entry point, and links what it cannot reach. */
export interface ReachTask {
  readonly graph: ProofGraph
}

export interface ReachResult {
  readonly reachableBefore: number
  /** New rows `[count][2M x node]` for nodes that got a link to an unreachable one. */
  readonly patches: readonly { readonly node: number; readonly row: Uint32Array }[]
  /** Unreachable nodes that got a link; with the nodes behind them, all are reachable now. */
  readonly linked: number
}

/** Beam of the search for the nearest reachable node. */
const REPAIR_EF = 64
/** A replaced link can cut off another node: so often the whole walk is done again. */
const MAX_ROUNDS = 10

/**
 * Every node must be reachable from the entry point over level-0 links. An unreachable one is linked from the nearest
 * reachable node with room (in whose row a free place is taken, or the farthest link that is no repair), and the walk
 * goes on from it, so that a whole cut-off cluster costs one link.
 */
export function reachAll(kernel: Kernel, { graph }: ReachTask): ReachResult {
  const patched = new Map<number, Uint32Array>()
  const repairs = new Map<number, Set<number>>()
  let reachableBefore: number | undefined
  let linked = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const walk = new Walk(graph, patched)
    walk.from(graph.entryPoint.node)
    reachableBefore ??= walk.visitedCount
    if (walk.visitedCount === graph.count) break
    const replaced = repairRound(kernel, graph, walk, patched, repairs)
    linked += replaced.linked
    if (replaced.links === 0) break
  }
  return {
    reachableBefore: reachableBefore ?? 0,
    patches: Array.from(patched, ([node, row]) => ({ node, row })),
    linked,
  }
}

function repairRound(
  kernel: Kernel,
  graph: ProofGraph,
  walk: Walk,
  patched: Map<number, Uint32Array>,
  repairs: Map<number, Set<number>>,
): { linked: number; links: number } {
  const mark = kernel.mark()
  const { metric, dimensions: dims, m, vectors, links } = graph
  const files = new FileGraph(kernel, { metric, dims, m, vectors, links })
  const patchedGraph: SearchableGraph = {
    links: (node) => linksOf(patched.get(node)) ?? files.links(node),
    distance: (node) => files.distance(node),
  }
  let linked = 0
  let replacedLinks = 0
  try {
    for (let node = walk.nextUnvisited(0); node !== undefined; node = walk.nextUnvisited(node + 1)) {
      files.setQuery(readVector(graph, node))
      const entry = { upperLevels: [], index: graph.entryPoint.node, m }
      const nearest = searchGraph(patchedGraph, entry, REPAIR_EF, REPAIR_EF).map((found) => found.node)
      const free = nearest.find((candidate) => patchedGraph.links(candidate).length < 2 * m)
      const from = free ?? nearest[0]
      if (addLink(patched, repairs, from, node, patchedGraph.links(from), 2 * m)) replacedLinks++
      linked++
      walk.from(node)
    }
  } finally {
    files.close()
    kernel.release(mark)
  }
  return { linked, links: replacedLinks }
}

function linksOf(row: Uint32Array | undefined): Uint32Array | undefined {
  return row?.subarray(1, 1 + row[0])
}

/** Returns whether another link had to go. */
function addLink(
  patched: Map<number, Uint32Array>,
  repairs: Map<number, Set<number>>,
  from: number,
  to: number,
  links: Uint32Array,
  maxDegree: number,
): boolean {
  const row = patched.get(from) ?? new Uint32Array(1 + maxDegree)
  if (!patched.has(from)) {
    row[0] = links.length
    row.set(links, 1)
    patched.set(from, row)
  }
  const own = repairs.get(from) ?? new Set<number>()
  repairs.set(from, own)
  own.add(to)
  if (row[0] < maxDegree) {
    row[++row[0]] = to
    return false
  }
  let last = maxDegree
  while (last > 1 && own.has(row[last])) last--
  row[last] = to
  return true
}

function readVector(graph: ProofGraph, node: number): Float32Array {
  const vector = new Float32Array(graph.dimensions)
  const file = graph.vectors[fileOfNode(graph.vectors, node)]
  readRows(file, 4 * graph.dimensions, node, new Uint8Array(vector.buffer))
  return vector
}

/**
 * Which nodes a walk over level-0 links has met. Links are read a segment at a time: nodes met in another segment wait
 * until that one is read, fullest first. Two bits a node and one segment are all the memory it takes.
 */
class Walk {
  visitedCount = 0
  readonly #graph: ProofGraph
  readonly #patched: ReadonlyMap<number, Uint32Array>
  readonly #stride: number
  readonly #visited: Uint8Array
  readonly #waiting: Uint8Array
  readonly #waitingCounts: Uint32Array
  #links = new Uint32Array(0)
  #loaded = -1

  constructor(graph: ProofGraph, patched: ReadonlyMap<number, Uint32Array>) {
    this.#graph = graph
    this.#patched = patched
    this.#stride = linksStrideBytes(graph.m) / 4
    this.#visited = new Uint8Array(Math.ceil(graph.count / 8))
    this.#waiting = new Uint8Array(Math.ceil(graph.count / 8))
    this.#waitingCounts = new Uint32Array(graph.links.length)
  }

  from(start: number): void {
    this.#meet(start)
    for (let segment = this.#fullest(); segment >= 0; segment = this.#fullest()) this.#expand(segment)
  }

  nextUnvisited(from: number): number | undefined {
    for (let node = from; node < this.#graph.count; node++) if (!has(this.#visited, node)) return node
    return undefined
  }

  #meet(node: number): void {
    if (has(this.#visited, node)) return
    set(this.#visited, node)
    this.visitedCount++
    set(this.#waiting, node)
    this.#waitingCounts[fileOfNode(this.#graph.links, node)]++
  }

  #fullest(): number {
    let best = -1
    this.#waitingCounts.forEach((count, segment) => {
      if (count > (best < 0 ? 0 : this.#waitingCounts[best])) best = segment
    })
    return best
  }

  #expand(segment: number): void {
    const { firstNode, count } = this.#graph.links[segment]
    this.#load(segment)
    const stack: number[] = []
    for (let node = firstNode; node < firstNode + count; node++) if (has(this.#waiting, node)) stack.push(node)
    this.#waitingCounts[segment] = 0
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      clear(this.#waiting, node)
      const patch = this.#patched.get(node)
      const row = patch ?? this.#links
      const at = patch ? 0 : (node - firstNode) * this.#stride
      for (let i = 1; i <= row[at]; i++) {
        const next = row[at + i]
        if (next < firstNode || next >= firstNode + count) {
          this.#meet(next)
        } else if (!has(this.#visited, next)) {
          set(this.#visited, next)
          this.visitedCount++
          stack.push(next)
        }
      }
    }
  }

  #load(segment: number): void {
    if (this.#loaded === segment) return
    const file = this.#graph.links[segment]
    const words = file.count * this.#stride
    if (this.#links.length < words) this.#links = new Uint32Array(words)
    readRows(file, 4 * this.#stride, file.firstNode, new Uint8Array(this.#links.buffer, 0, 4 * words))
    this.#loaded = segment
  }
}

function has(bits: Uint8Array, node: number): boolean {
  return (bits[node >>> 3] & (1 << (node & 7))) !== 0
}

function set(bits: Uint8Array, node: number): void {
  bits[node >>> 3] |= 1 << (node & 7)
}

function clear(bits: Uint8Array, node: number): void {
  bits[node >>> 3] &= ~(1 << (node & 7))
}
