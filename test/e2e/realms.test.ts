/** Vectors, batches, queries and promises of another realm, as a test under Jest or a vm pool of vitest has them. */
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { buildIndex, openIndex, type VectorBatch, type VectorRecord } from '../../dist/src/index.js'
import { makeFolder } from '../fixtures/builds.js'

const foreign = <Value>(code: string): Value => runInNewContext(code) as Value

describe('from another realm', () => {
  const folder = makeFolder()
  const count = 40
  const make = `const vectorOf = (i) => Float32Array.from({ length: 4 }, (_, d) => Math.sin((i + 1) * (d + 1)));`

  it.each([
    ['records', `${make} Array.from({ length: ${count} }, (_, i) => ({ vector: vectorOf(i) }))`],
    ['a batch', `${make} [{ vectors: Float32Array.from({ length: ${count} }, (_, i) => i), dimensions: 1 }]`], // prettier-ignore
    ['an async source', `${make} (async function* () { for (let i = 0; i < ${count}; i++) yield { vector: vectorOf(i) } })()`], // prettier-ignore
  ])('%s can be indexed', async (name, code) => {
    const path = `${folder}/${name.replace(' ', '-')}.index`
    expect(await buildIndex(foreign<AsyncIterable<VectorRecord | VectorBatch>>(code), { path })).toMatchObject({
      count,
    })
  })

  it('queries in one array can be searched and measured', async () => {
    const index = await openIndex(`${folder}/records.index`)
    const queries = foreign<Float32Array>(`${make} const q = new Float32Array(8); q.set(vectorOf(3)); q.set(vectorOf(4), 4); q`) // prettier-ignore
    expect((await index.searchBatch(queries, { k: 1 })).map(([hit]) => hit.id)).toEqual([3, 4])
    expect(await index.recallCurve({ queries, k: 1, ef: [16] })).toMatchObject({})
    await index.close()
  })

  it('bigint components are refused', async () => {
    const source = foreign<VectorRecord[]>('[{ vector: new BigInt64Array(4) }]')
    await expect(buildIndex(source, { path: `${folder}/big.index` })).rejects.toThrow(
      'is a BigInt64Array: pass Float32Array.from(vector, Number)',
    )
  })
})
