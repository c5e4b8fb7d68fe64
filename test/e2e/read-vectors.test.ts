import { describe, expect, it } from 'vitest'
import { AbortedError, buildIndex, openIndex, PathError, readVectors } from '../../dist/src/index.js'
import { listSchema, parquetTable } from '../fixtures/write-parquet.js'
import { fvecs, jsonLines, temporaryFolder } from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 3000 }, (_, i) =>
  Array.from({ length: 16 }, (__, j) => Math.fround(Math.sin(i * 7 + j * j))),
)
const ids = rows.map((_, i) => `doc ${i}`)

const table = (): string =>
  folder.file(
    'docs.parquet',
    parquetTable({
      columns: [
        { schema: [{ name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8' }], data: ids },
        { schema: listSchema('embedding'), data: rows },
      ],
    }),
  )

describe('readVectors', () => {
  it('is a source of a build, with ids from a column', async () => {
    const path = folder.file('table.index')
    const report = await buildIndex(readVectors(table(), { idColumn: 'id' }), { path, memory: '300MB' })
    expect(report).toMatchObject({ count: 3000, dimensions: 16 })
    const index = await openIndex(path)
    expect(index.search(Float32Array.from(rows[1234]), { k: 1 })[0].id).toBe('doc 1234')
    await index.close()
  })

  it('gives an interrupted build what it needs to go on', async () => {
    const path = folder.file('resumed.index')
    const files = [table(), folder.file('more.fvecs', fvecs(rows)), folder.file('last.jsonl', jsonLines(rows))]
    const stop = new AbortController()
    const first = buildIndex(readVectors(files), {
      path,
      memory: '300MB',
      signal: stop.signal,
      onProgress: ({ stage }) => stage === 'shards' && stop.abort(),
    })
    await expect(first).rejects.toBeInstanceOf(AbortedError)
    const report = await buildIndex(readVectors(files), { path, memory: '300MB' })
    expect(report.count).toBe(9000)
    expect(report.resumed?.vectors).toBe(9000)
  })

  it('starts afresh when one of its files is another one', async () => {
    const path = folder.file('afresh.index')
    const files = [table(), folder.file('other.fvecs', fvecs(rows))]
    const stop = new AbortController()
    const first = buildIndex(readVectors(files), {
      path,
      memory: '300MB',
      signal: stop.signal,
      onProgress: ({ stage }) => stage === 'shards' && stop.abort(),
    })
    await expect(first).rejects.toBeInstanceOf(AbortedError)
    folder.file('other.fvecs', fvecs([...rows].reverse()))
    const report = await buildIndex(readVectors(files), { path, memory: '300MB' })
    expect(report.resumed).toBeUndefined()
    expect(report.events.map(({ kind }) => kind)).toContain('fresh-start')
  })

  it('is an async iterable, and fails as its files do', async () => {
    let count = 0
    for await (const { vectors, dimensions } of readVectors(table())) count += vectors.length / dimensions
    expect(count).toBe(3000)
    const missing = buildIndex(readVectors(folder.file('missing.npy')), { path: folder.file('none.index') })
    await expect(missing).rejects.toBeInstanceOf(PathError)
  })
})
