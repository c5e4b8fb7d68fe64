import type { Kernel } from '../../../kernel/kernel.js'
import { linksStrideBytes } from '../../format/segment/segment-file.js'
import { FileGraph } from './file-graph.js'
import { searchGraph, type SearchableGraph } from './search-graph.js'
import { fileOfNode, readRows } from '../../rows/open-rows.js'
import type { ProofGraph } from './proof-graph.js'

/** Walks level 0 from the entry point, and links the nodes that it cannot reach. */
export interface ReachTask {
  readonly graph: ProofGraph
}

export interface ReachResult {
  readonly reachableBefore: number
  /** Number of reached nodes with 0, 1, … 2M links. */
  readonly degreeCounts: Uint32Array
  /** New rows `[count][2M x node]` for nodes that got a link to an unreachable one. */
  readonly patches: readonly { readonly node: number; readonly row: Uint32Array }[]
  /** Unreachable nodes that got a link. All other unreachable nodes are now reachable through them. */
  readonly linked: number
}

/** Beam of the search for the nearest reachable node. */
const REPAIR_EF = 64

/**
 * Every node must be reachable from the entry point over level-0 links. An unreachable node gets a link from the
 * nearest reachable node with room, and the walk continues from it, so that a whole disconnected cluster costs one
 * link. Where no near node has room, the new link replaces one that the walk did not use, so that no repair ever
 * disconnects another node.
 */
export function reachAll(kernel: Kernel, { graph }: ReachTask): ReachResult {
  const patched = new Map<number, Uint32Array>()
  const walk = new Walk(graph, patched)
  walk.from(graph.entryPoint.node)
  const reachableBefore = walk.visitedCount
  const linked = reachableBefore === graph.count ? 0 : repair(kernel, graph, patched)
  return {
    reachableBefore,
    degreeCounts: walk.degreeCounts,
    patches: Array.from(patched, ([node, row]) => ({ node, row })),
    linked,
  }
}

/** Walks again and records the parent of each node, in 4 bytes per node. A sound graph does not need this. */
function repair(kernel: Kernel, graph: ProofGraph, patched: Map<number, Uint32Array>): number {
  const mark = kernel.mark()
  const { metric, dimensions, m, vectors, links } = graph
  const maxDegree = 2 * m
  const files = new FileGraph(kernel, { metric, dimensions, m, vectors, links })
  const patchedGraph: SearchableGraph = {
    links: (node) => linksOf(patched.get(node)) ?? files.links(node),
    distance: (node) => files.distance(node),
    areCopies: (a, b) => files.areCopies(a, b),
  }
  const parents = new Uint32Array(graph.count)
  const walk = new Walk(graph, patched, parents)
  const placeIn = (node: number): number => freePlace(patchedGraph.links(node), node, maxDegree, parents)
  let linked = 0
  try {
    walk.from(graph.entryPoint.node)
    for (let node = walk.nextUnvisited(0); node !== undefined; node = walk.nextUnvisited(node + 1)) {
      files.setQuery(readVector(graph, node))
      const entry = { upperLevels: [], index: graph.entryPoint.node, m }
      const nearest = searchGraph(patchedGraph, entry, REPAIR_EF, REPAIR_EF).map((found) => found.node)
      const from =
        nearest.find((candidate) => patchedGraph.links(candidate).length < maxDegree) ??
        nearest.find((candidate) => placeIn(candidate) > 0) ??
        descendant(nearest[0], node, placeIn, (parent) => patchedGraph.links(parent))
      const row = ownRow(patched, from, patchedGraph.links(from), maxDegree)
      const place = placeIn(from)
      row[place] = node
      row[0] = Math.max(row[0], place)
      linked++
      walk.from(node, from)
    }
  } finally {
    files.close()
    kernel.release(mark)
  }
  return linked
}

function linksOf(row: Uint32Array | undefined): Uint32Array | undefined {
  return row?.subarray(1, 1 + row[0])
}

/**
 * Where `node` can take a link in its row: after the last link, or instead of the farthest link that the walk did not
 * use. 0 when there is no place.
 */
function freePlace(links: Uint32Array, node: number, maxDegree: number, parents: Uint32Array): number {
  if (links.length < maxDegree) return links.length + 1
  let place = links.length
  while (place > 0 && parents[links[place - 1]] === node) place--
  return place
}

/**
 * A node with a place among those reached through `start`. Each link of `start` is the only path to some node. The
 * newcomer's number chooses the path down, so that thousands of copies of one vector make a tree of small depth. The
 * leaves of this tree have places.
 */
function descendant(
  start: number,
  newcomer: number,
  placeIn: (node: number) => number,
  linksOfNode: (node: number) => Uint32Array,
): number {
  let at = start
  let way = newcomer
  while (placeIn(at) === 0) {
    const children = linksOfNode(at)
    at = children[way % children.length]
    way = Math.floor(way / children.length)
  }
  return at
}

/** The node's row as it will be written: `[count][2M x node]`. */
function ownRow(patched: Map<number, Uint32Array>, node: number, links: Uint32Array, maxDegree: number): Uint32Array {
  const row = patched.get(node) ?? new Uint32Array(1 + maxDegree)
  if (!patched.has(node)) {
    row[0] = links.length
    row.set(links, 1)
    patched.set(node, row)
  }
  return row
}

function readVector(graph: ProofGraph, node: number): Float32Array {
  const vector = new Float32Array(graph.dimensions)
  const file = graph.vectors[fileOfNode(graph.vectors, node)]
  readRows(file, 4 * graph.dimensions, node, new Uint8Array(vector.buffer))
  return vector
}

/**
 * The nodes that a walk over level-0 links has reached. Links are read one segment at a time. Nodes reached in another
 * segment wait until that segment is read, and the segment with the most waiting nodes is read first. The walk takes
 * two bits per node and the memory of one segment. The caller provides `parents` if it needs them.
 */
class Walk {
  visitedCount = 0
  /** Nodes by number of links. */
  readonly degreeCounts: Uint32Array
  readonly #graph: ProofGraph
  readonly #patched: ReadonlyMap<number, Uint32Array>
  readonly #parents: Uint32Array | undefined
  readonly #stride: number
  readonly #visited: Uint8Array
  readonly #waiting: Uint8Array
  readonly #waitingCounts: Uint32Array
  #links = new Uint32Array(0)
  #loaded = -1

  /**
   * `parents`, when given, receives for each node the node it was first reached from. A starting node without a parent
   * is its own.
   */
  constructor(graph: ProofGraph, patched: ReadonlyMap<number, Uint32Array>, parents?: Uint32Array) {
    this.#graph = graph
    this.#patched = patched
    this.#parents = parents
    this.#stride = linksStrideBytes(graph.m) / 4
    this.degreeCounts = new Uint32Array(this.#stride)
    this.#visited = new Uint8Array(Math.ceil(graph.count / 8))
    this.#waiting = new Uint8Array(Math.ceil(graph.count / 8))
    this.#waitingCounts = new Uint32Array(graph.links.length)
  }

  from(start: number, parent = start): void {
    this.#meet(start, parent)
    for (let segment = this.#fullest(); segment >= 0; segment = this.#fullest()) this.#expand(segment)
  }

  nextUnvisited(from: number): number | undefined {
    for (let node = from; node < this.#graph.count; node++) if (!has(this.#visited, node)) return node
    return undefined
  }

  #meet(node: number, parent: number): void {
    if (has(this.#visited, node)) return
    this.#visit(node, parent)
    set(this.#waiting, node)
    this.#waitingCounts[fileOfNode(this.#graph.links, node)]++
  }

  #visit(node: number, parent: number): void {
    set(this.#visited, node)
    this.visitedCount++
    if (this.#parents !== undefined) this.#parents[node] = parent
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
      this.degreeCounts[row[at]]++
      for (let i = 1; i <= row[at]; i++) {
        const next = row[at + i]
        if (next < firstNode || next >= firstNode + count) {
          this.#meet(next, node)
        } else if (!has(this.#visited, next)) {
          this.#visit(next, node)
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
