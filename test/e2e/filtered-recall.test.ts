/** Filters that agree with where the query is, that disagree with it, and that know nothing of it: recall at ef 64. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Id, Index, NodeSet } from '../../dist/src/index.js'
import {
  batches,
  build,
  concatRows,
  distanceOf,
  makeRows,
  randomNumbers,
  readExample,
  rowOf,
  withIndex,
  type Built,
  type Rows,
} from '../fixtures/builds.js'
import { WHOLE } from '../whole.js'

const K = 10
const EF = 64
const LEAST = 0.95
const QUERIES = WHOLE ? 50 : 20

/** `size` vectors around each of the centres, in no order. */
function clustered(count: number, clusters: number, dimensions: number, seed: number): Rows {
  const centre = randomNumbers(3)
  const random = randomNumbers(seed)
  const bell = (from: () => number): number => from() + from() + from() + from() - 2
  const centres = makeRows(clusters, dimensions, () => 2 * bell(centre))
  const owners = Array.from({ length: count }, () => Math.floor(random() * clusters))
  return makeRows(count, dimensions, (row, d) => rowOf(centres, owners[row])[d] + bell(random))
}

/** All rows, nearest first. */
function ranked(rows: Rows, query: Float32Array): Uint32Array {
  const distances = Float64Array.from({ length: rows.count }, (_, row) => distanceOf('l2', query, rowOf(rows, row)))
  return Uint32Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b])
}

/** What each kind of filter keeps of the rows, which are given nearest first: how many of them, in any order. */
type Choose = (nearestFirst: Uint32Array, kept: number) => Iterable<number>

/** The same rows for every query: those whose shuffled number is small. */
function shuffled(count: number): Uint32Array {
  const random = randomNumbers(11)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    ;[order[i], order[other]] = [order[other], order[i]]
  }
  return order
}

const CHOICES: Readonly<Record<string, Choose>> = {
  random: (all, kept) => shuffled(all.length).subarray(0, kept),
  near: (all, kept) => all.subarray(0, kept),
  far: (all, kept) => all.subarray(all.length - kept),
  // What a beam of ef / share finds at its very end, where it has not looked at all there is.
  'behind the nearest': (all, kept) => {
    const near = new Set(all.subarray(0, Math.min(Math.floor((1.8 * EF * all.length) / kept), all.length - kept)))
    return shuffled(all.length)
      .filter((row) => !near.has(row))
      .subarray(0, kept)
  },
}

const SHARES = [0.5, 0.3, 0.1, 0.01, 0.001] as const
const SIZES: readonly (readonly [string, (count: number) => number])[] = [
  ...SHARES.map((share) => [`${100 * share}%`, (count: number) => Math.ceil(share * count)] as const),
  ['3 rows', () => 3],
]

function recallWith(
  index: Index,
  rows: Rows,
  queries: Rows,
  choose: Choose,
  kept: number,
  isFunction: boolean,
): number {
  let [hits, wanted] = [0, 0]
  for (let q = 0; q < queries.count; q++) {
    const query = rowOf(queries, q)
    const all = ranked(rows, query)
    const keeps = new Set<Id>(choose(all, kept))
    const filter: NodeSet | ((id: Id) => boolean) = isFunction ? (id) => keeps.has(id) : index.select(keeps)
    const nearest = all.filter((row) => keeps.has(row)).subarray(0, K)
    const found = index.search(query, { k: K, ef: EF, filter })
    expect(found.every(({ id }) => keeps.has(id))).toBe(true)
    expect(found).toHaveLength(nearest.length)
    const farthest = distanceOf('l2', query, rowOf(rows, nearest[nearest.length - 1])) * (1 + 1e-5)
    hits += found.filter(({ distance }) => distance <= farthest).length
    wanted += nearest.length
  }
  return hits / wanted
}

describe.each([
  {
    name: '20,000 clustered vectors',
    data: () => Promise.resolve(clustered(20_000, 200, 32, 1)),
    queries: () => Promise.resolve(clustered(QUERIES, 200, 32, 2)),
  },
  {
    name: 'SIFT descriptors',
    data: () => readExample('sift10k_base.bvecs'),
    queries: async () => {
      const all = await readExample('sift10k_query.bvecs')
      return concatRows(makeRows(QUERIES, all.dimensions, (row, d) => rowOf(all, row)[d]))
    },
  },
])('a filter of $name', ({ data, queries }) => {
  let rows: Rows
  let asked: Rows
  let built: Built
  beforeAll(async () => {
    rows = await data()
    asked = await queries()
    built = await build(batches(rows), { memory: '1GB', threads: 2 })
  })

  const cases = SIZES.flatMap(([size, sizeOf]) =>
    Object.entries(CHOICES).map(([kind, choose]) => ({ size, sizeOf, kind, choose })),
  )
  it.each(cases)(
    `that keeps $size, $kind, finds ${LEAST} of the nearest ${K} at ef ${EF}`,
    async ({ sizeOf, choose }) => {
      await withIndex(built.path, (index) => {
        const kept = sizeOf(rows.count)
        expect(recallWith(index, rows, asked, choose, kept, false)).toBeGreaterThanOrEqual(LEAST)
      })
    },
  )

  it.each(Object.entries(CHOICES))('that is a function finds as many: %s', async (_, choose) => {
    await withIndex(built.path, (index) => {
      const kept = Math.ceil(rows.count / 10)
      expect(recallWith(index, rows, asked, choose, kept, true)).toBeGreaterThanOrEqual(LEAST)
    })
  })
})
