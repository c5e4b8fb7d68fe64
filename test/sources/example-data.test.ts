import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readIvecs } from '../../src/sources/rows/read-ivecs.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { readAll } from '../fixtures/write-vector-files.js'

const data = (name: string): string => fileURLToPath(new URL(`../../examples/data/${name}`, import.meta.url))

function squaredL2(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return sum
}

describe('the example data', () => {
  it('has 5,000 nouns of unit length with one id each', async () => {
    const file = await openVectorFile(data('wordnet5k_nouns.npy'), { ids: data('wordnet5k_nouns_ids.txt') })
    expect(file).toMatchObject({ format: 'npy', count: 5000, dimensions: 192 })
    const { rows, ids } = await readAll(file)
    expect(new Set(ids).size).toBe(5000)
    const zero = new Array<number>(192).fill(0)
    for (const row of rows) expect(Math.abs(squaredL2(row, zero) - 1)).toBeLessThan(1e-5)
  })

  it('puts like nouns beside each other', async () => {
    const file = await openVectorFile(data('wordnet5k_nouns.npy'), { ids: data('wordnet5k_nouns_ids.txt') })
    const { rows, ids } = await readAll(file)
    const nearestOf = (id: string): unknown[] => {
      const query = rows[ids.indexOf(id)]
      const distances = rows.map((row) => squaredL2(row, query))
      const order = ids.map((_, i) => i).sort((a, b) => distances[a] - distances[b])
      return order.slice(1, 6).map((i) => String(ids[i]).split('.')[0])
    }
    expect(nearestOf('river.n.09411430')).toEqual(['brook', 'Sabine', 'delta', 'Mississippi', 'Mekong'])
    expect(nearestOf('calf.n.01887896').slice(0, 4)).toEqual(['kitten', 'lamb', 'squire', 'puppy'])
  })

  it('has a ground truth that is exact, ascending and breaks ties by the lower row', async () => {
    const base = (await readAll(await openVectorFile(data('sift10k_base.bvecs')))).rows
    const queries = (await readAll(await openVectorFile(data('sift10k_query.bvecs')))).rows
    const truth = await readIvecs(data('sift10k_gt.ivecs'))
    expect([base.length, queries.length, truth.count, truth.dimensions]).toEqual([10_000, 100, 100, 100])
    for (const [q, query] of queries.entries()) {
      const distances = base.map((row) => squaredL2(row, query))
      const nearest = distances.map((_, row) => row).sort((a, b) => distances[a] - distances[b] || a - b)
      expect([...truth.rows.subarray(q * 100, (q + 1) * 100)]).toEqual(nearest.slice(0, 100))
      expect(distances[nearest[0]]).toBeGreaterThan(0)
    }
  })

  it('is what its README lists', () => {
    expect(readdirSync(data('')).sort()).toEqual([
      'README.md',
      'sift10k_base.bvecs',
      'sift10k_gt.ivecs',
      'sift10k_query.bvecs',
      'stores',
      'wordnet5k_nouns.npy',
      'wordnet5k_nouns_ids.txt',
    ])
  })
})
