/** What an exported graph must say, from the test graph that the index was made of. */
import fc from 'fast-check'
import type { GraphWish, TestGraph } from '../search/random-graph.js'
import type { ExportedGraph } from './read-exported.js'

/** Graphs of one node, without upper levels, with many of them. */
export const wishes: fc.Arbitrary<GraphWish> = fc.record({
  seed: fc.nat(),
  metric: fc.constantFrom('l2' as const, 'cosine' as const, 'ip' as const),
  count: fc.integer({ min: 1, max: 60 }),
  dims: fc.integer({ min: 1, max: 9 }),
  m: fc.integer({ min: 4, max: 9 }),
  levels: fc.integer({ min: 0, max: 4 }),
  values: fc.constant('reals' as const),
})

/** Without labels: those depend on the ids. */
export function factsOf(graph: TestGraph): Omit<ExportedGraph, 'labels'> {
  const { dims, m, vectors, neighbours, upperLevels, entryPoint } = graph
  const links = neighbours.map((row) => [[...row]])
  for (const { nodes, links: rows } of upperLevels) {
    nodes.forEach((node, i) => {
      const row = rows.subarray(i * (1 + m) + 1, i * (1 + m) + 1 + rows[i * (1 + m)])
      links[node].push(Array.from(row, (place) => nodes[place]))
    })
  }
  return { dims, m, entryNode: entryPoint.node, maxLevel: upperLevels.length, vectors, links }
}
