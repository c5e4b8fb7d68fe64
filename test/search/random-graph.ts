/** Small graphs to search: vectors, level-0 rows and upper levels, all from one seed. */
import { Kernel } from '../../kernel/kernel.js'
import type { UpperLevel } from '../../src/format/upper.js'
import { searchGraph, type Found, type SearchableGraph } from '../../src/search/graph-search.js'
import { distanceBias, SearchCore } from '../../src/search/search-core.js'
import type { Metric } from '../../src/types.js'

export interface TestGraph {
  readonly metric: Metric
  readonly count: number
  readonly dims: number
  readonly m: number
  /** Row-major. */
  readonly vectors: Float32Array
  /** Level-0 neighbours per node. */
  readonly neighbours: readonly (readonly number[])[]
  readonly upperLevels: readonly UpperLevel[]
  readonly entryPoint: { readonly node: number; readonly level: number; readonly index: number }
}

/** mulberry32: numbers in [0, 1). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** 'integers': few distinct values, so that equal distances and equal vectors are common and f32 sums are exact. */
export function randomRows(
  random: () => number,
  count: number,
  dims: number,
  values: 'integers' | 'reals',
): Float32Array {
  return Float32Array.from({ length: count * dims }, () =>
    values === 'integers' ? Math.floor(random() * 3) - 1 : random() * 2 - 1,
  )
}

export interface GraphWish {
  readonly seed: number
  readonly metric: Metric
  readonly count: number
  readonly dims: number
  readonly m: number
  readonly levels: number
  readonly values: 'integers' | 'reals'
}

/** Random links, 0 to 2m per node: some nodes are out of reach. */
export function randomGraph({ seed, metric, count, dims, m, levels, values }: GraphWish): TestGraph {
  const random = randomSource(seed)
  const vectors = randomRows(random, count, dims, values)
  const links = (nodes: number, most: number, self: number): number[] => {
    const chosen = new Set<number>()
    const wanted = Math.floor(random() * (Math.min(most, nodes - 1) + 1))
    while (chosen.size < wanted) {
      const other = Math.floor(random() * nodes)
      if (other !== self) chosen.add(other)
    }
    return [...chosen]
  }
  const neighbours = Array.from({ length: count }, (_, node) => links(count, 2 * m, node))
  const upperLevels: UpperLevel[] = []
  let below = Uint32Array.from({ length: count }, (_, node) => node)
  for (let level = 1; level <= levels; level++) {
    const down = Uint32Array.from(below.keys()).filter((i) => random() < 0.4 || i === below.length - 1)
    const nodes = down.map((i) => below[i])
    const rows = new Uint32Array(nodes.length * (1 + m))
    for (let i = 0; i < nodes.length; i++) {
      const row = links(nodes.length, m, i)
      rows.set([row.length, ...row], i * (1 + m))
    }
    upperLevels.push({ nodes, down, links: rows })
    below = nodes
  }
  const index = Math.floor(random() * below.length)
  return {
    metric,
    count,
    dims,
    m,
    vectors,
    neighbours,
    upperLevels,
    entryPoint: { node: below[index], level: levels, index },
  }
}

/** Every node linked to its nearest (brute force) both ways, and in a ring, so that all are in reach. */
export function nearestGraph(wish: Omit<GraphWish, 'levels'>): TestGraph {
  const graph = randomGraph({ ...wish, levels: 0 })
  const { count, dims, m, vectors } = graph
  const neighbours = Array.from({ length: count }, (_, node) => {
    const nearest = bruteForce(graph, vectors.subarray(node * dims, (node + 1) * dims), count)
    const row = [(node + 1) % count, ...nearest.map((found) => found.node)]
    return [...new Set(row)].filter((other) => other !== node).slice(0, 2 * m)
  })
  return { ...graph, neighbours, entryPoint: { node: 0, level: 0, index: 0 } }
}

export function linkRows({ count, m, neighbours }: TestGraph): Uint32Array {
  const rows = new Uint32Array(count * (1 + 2 * m))
  neighbours.forEach((row, node) => rows.set([row.length, ...row], node * (1 + 2 * m)))
  return rows
}

export const bytesOf = (array: Float32Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

export function loadCore(graph: TestGraph, kernel = Kernel.create()): SearchCore {
  const core = new SearchCore(kernel, { ...graph, maxEf: 16 })
  core.vectorsAt(0, graph.count).set(bytesOf(graph.vectors))
  core.linksAt(0, graph.count).set(bytesOf(linkRows(graph)))
  return core
}

export function coreSearch(core: SearchCore, query: Float32Array, k: number, ef: number): Found[] {
  const found = core.search(query, k, ef)
  return Array.from({ length: found }, (_, i) => ({ node: core.nodes[i], distance: core.distances[i] }))
}

/** Distances by the kernel's pair functions, so that a comparison with the kernel's search is exact. */
export class TwinGraph implements SearchableGraph {
  readonly #kernel = Kernel.create()
  readonly #graph: TestGraph
  readonly #query: number
  readonly #row: number

  constructor(graph: TestGraph) {
    this.#graph = graph
    this.#query = this.#kernel.alloc(4 * graph.dims)
    this.#row = this.#kernel.alloc(4 * graph.dims)
  }

  search(query: Float32Array, k: number, ef: number): Found[] {
    const { upperLevels, entryPoint, m, dims } = this.#graph
    this.#kernel.f32(this.#query, dims).set(query)
    return searchGraph(this, { upperLevels, index: entryPoint.index, m }, k, ef)
  }

  links(node: number): Uint32Array {
    return Uint32Array.from(this.#graph.neighbours[node])
  }

  distance(node: number): number {
    const { dims, vectors, metric } = this.#graph
    this.#kernel.f32(this.#row, dims).set(vectors.subarray(node * dims, (node + 1) * dims))
    return metric === 'l2'
      ? this.#kernel.fn.searchDistanceL2(this.#query, this.#row, dims)
      : this.#kernel.fn.searchDistanceDot(this.#query, this.#row, dims, distanceBias(metric))
  }
}

/** In float64, from the definition. */
export function referenceDistance(metric: Metric, a: Float32Array, b: Float32Array): number {
  let squared = 0
  let dot = 0
  for (let i = 0; i < a.length; i++) {
    squared += (a[i] - b[i]) ** 2
    dot += a[i] * b[i]
  }
  return metric === 'l2' ? squared : distanceBias(metric) - dot
}

export function bruteForce({ metric, count, dims, vectors }: TestGraph, query: Float32Array, k: number): Found[] {
  return Array.from({ length: count }, (_, node) => ({
    node,
    distance: referenceDistance(metric, query, vectors.subarray(node * dims, (node + 1) * dims)),
  }))
    .sort((a, b) => a.distance - b.distance || a.node - b.node)
    .slice(0, k)
}
