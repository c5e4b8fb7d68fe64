import { expect, it } from 'vitest'
import { emptyLists, insertNearest, type NearestLists } from '../../src/search/measure/nearest-lists.js'
import { selfRecallOf } from '../../src/search/measure/self-recall-of.js'

/** Lists of three from pairs of node and distance. */
function lists(...found: (readonly [number, number])[][]): NearestLists {
  const made = emptyLists(found.length, 3)
  found.forEach((pairs, query) => pairs.forEach(([node, distance]) => insertNearest(made, query, node, distance)))
  return made
}

it.each([
  ['the node itself', [[4, 0], [7, 1]], 0, 1],
  ['the node itself, at a distance that a code rounds, behind others', [[2, 1], [7, 2], [4, 3]], 0, 1],
  ['a copy', [[9, 0], [7, 1]], 0, 1],
  ['a node not farther than rounding puts the vector from itself', [[9, 2 ** -24]], 2 ** -24, 1],
  ['only farther nodes', [[9, 2 ** -24], [7, 1]], 0, 0],
  ['nothing', [], 0, 0],
] as const)('selfRecallOf when the search found %s', (_, found, selfDistance, share) => {
  const asked = { selves: Uint32Array.of(4), selfDistances: Float32Array.of(selfDistance) }
  expect(selfRecallOf(lists([...found]), asked)).toBe(share)
}) // prettier-ignore

it('selfRecallOf is a share of all queries', () => {
  const found = lists([[0, 0]], [[0, 3]], [[2, 0]], [[0, 5], [3, 0]]) // prettier-ignore
  const asked = { selves: Uint32Array.of(0, 1, 2, 3), selfDistances: new Float32Array(4) }
  expect(selfRecallOf(found, asked)).toBe(0.75)
})
