/**
 * The search loop of kernel/assembly/search/search.ts in plain TypeScript, over anything that has links and distances.
 * Descent, beam and ties are the same, so the same distances give the same nodes. Tests compare the kernel with it, and
 * the proof uses it to search graphs that are not in one memory.
 */
import { UPPER_EF } from '../../search/core/search-context.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'

export interface SearchableGraph {
  /** Level-0 neighbours, as a view that is valid until the next call. */
  links(node: number): Uint32Array
  /** From the query to the node, float32. NaN counts as the largest. */
  distance(node: number): number
  /** Whether two nodes have the same vector, bit by bit. */
  areCopies(a: number, b: number): boolean
}

export interface GraphEntry {
  /** `[0]` is level 1. */
  readonly upperLevels: readonly UpperLevel[]
  /** Index into the top level's arrays, or the node itself when there are no upper levels. */
  readonly index: number
  /** Links per node on levels ≥ 1. */
  readonly m: number
}

/** A found node. Ascending by distance, then node. */
export interface Found {
  readonly node: number
  readonly distance: number
}

interface BeamSlot extends Found {
  expanded: boolean
}

/** The nearest min(k, reachable) nodes with a beam of max(k, ef). */
export function searchGraph(graph: SearchableGraph, entry: GraphEntry, k: number, ef: number): Found[] {
  const width = Math.max(k, ef)
  const { beam, copies } = beamSearch(graph, descend(graph, entry), width)
  for (const copy of copies) offer(beam, copy, width)
  return beam.slice(0, k).map(({ node, distance }) => ({ node, distance }))
}

/** Descends with a narrow beam from the entry point to level 1. Returns the level-0 node to begin at. */
function descend(graph: SearchableGraph, { upperLevels, index, m }: GraphEntry): number {
  let at = index
  for (const { nodes, down, links } of upperLevels.toReversed()) {
    // Nodes ascend within a level, so a lower index is a lower node.
    const level: SearchableGraph = {
      links: (i) => links.subarray(i * (1 + m) + 1, i * (1 + m) + 1 + links[i * (1 + m)]),
      distance: (i) => graph.distance(nodes[i]),
      areCopies: (a, b) => graph.areCopies(nodes[a], nodes[b]),
    }
    at = down[beamSearch(level, at, UPPER_EF).beam[0].node]
  }
  return at
}

/** Copies of an expanded node go to a beam of their own, and are expanded when nothing else is left. */
function beamSearch(graph: SearchableGraph, start: number, ef: number): { beam: BeamSlot[]; copies: BeamSlot[] } {
  const visited = new Set([start])
  const beam: BeamSlot[] = [{ node: start, distance: distanceTo(graph, start), expanded: false }]
  const copies: BeamSlot[] = []
  const isInReach = (slot: BeamSlot): boolean => beam.length < ef || nearer(slot, beam[ef - 1])
  let next: BeamSlot | undefined = beam[0]
  while (next !== undefined) {
    next.expanded = true
    const { node: at, distance } = next
    for (const node of [...graph.links(at)]) {
      if (visited.has(node)) continue
      visited.add(node)
      const found = { node, distance: distanceTo(graph, node), expanded: false }
      if (!isInReach(found)) continue
      if (found.distance !== distance || !graph.areCopies(at, node)) offer(beam, found, ef)
      else offer(copies, found, ef)
    }
    next = beam.find((slot) => !slot.expanded) ?? copies.find((slot) => !slot.expanded && isInReach(slot))
  }
  return { beam, copies }
}

/** Keeps the beam ascending, with at most ef slots. */
function offer(beam: BeamSlot[], found: BeamSlot, ef: number): void {
  let low = 0
  let high = beam.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (nearer(beam[middle], found)) low = middle + 1
    else high = middle
  }
  if (low >= ef) return
  beam.splice(low, 0, found)
  if (beam.length > ef) beam.pop()
}

function nearer(a: Found, b: Found): boolean {
  return a.distance < b.distance || (a.distance === b.distance && a.node < b.node)
}

function distanceTo(graph: SearchableGraph, node: number): number {
  const distance = graph.distance(node)
  return Number.isNaN(distance) ? Infinity : distance
}
