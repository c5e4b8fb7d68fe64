/** Exports of, and imports over, an index that is changed between two builds. */
import { describe, expect, it } from 'vitest'
import { buildIndex, createIndex, exportIndex, importIndex, openIndex, type Written } from '../../dist/src/index.js'
import { EXPORT_FORMATS } from '../../src/options/export-options.js'
import { temporaryFolder } from '../fixtures/index-files.js'
import { buildBase, LIVE_DIMENSIONS, liveBatch, liveVector, makeLiveIndex, openWriter } from '../fixtures/live-index.js'

const folder = temporaryFolder()

describe.each(EXPORT_FORMATS)('an export to %s', (format) => {
  const place = (name: string): string => folder.path(`${format}-${name}`)

  it('of an index with changes is refused, and names what to do', async () => {
    const path = place('changed.index')
    await makeLiveIndex(path)
    await expect(exportIndex(path, { format, out: place('out') })).rejects.toMatchObject({
      code: 'SHARDLOOM_INVALID_OPTION',
      message: expect.stringMatching(/2195 changes were made .*compact.*baseOnly/) as string,
    })
    const report = await exportIndex(path, { format, out: place('out'), baseOnly: true })
    expect(report).toMatchObject({ count: 200, changesLeftOut: 2195, generation: 'gen-000001' })
  })

  it('of an index that was opened for writing and not changed, or compacted, is as of any', async () => {
    const path = place('compacted.index')
    await buildBase(path, 30)
    await (await openWriter(path)).close()
    expect(await exportIndex(path, { format, out: place('first') })).not.toHaveProperty('changesLeftOut')
    const index = await openWriter(path)
    await index.delete([0])
    await index.compact({ threads: 1 })
    await index.close()
    const report = await exportIndex(path, { format, out: place('second') })
    expect(report.count).toBe(29)
    expect(report).not.toHaveProperty('changesLeftOut')
  })

  it('of an index that was never built is refused', async () => {
    const path = place('new.index')
    const index = await createIndex(path, { dimensions: LIVE_DIMENSIONS })
    await index.upsert(liveBatch(0, 3))
    await index.close()
    await expect(exportIndex(path, { format, out: place('none') })).rejects.toMatchObject({
      code: 'SHARDLOOM_PATH',
      message: expect.stringContaining('never built') as string,
    })
  })
})

describe('an import over an index that is written to', () => {
  it('replaces what was acknowledged before it began, and keeps what came later on top', async () => {
    const path = folder.path('imported.index')
    await buildBase(path, 30)
    const writer = await openWriter(path)
    try {
      await writer.upsert(liveBatch(100, 5))
      const file = folder.path('other.bin')
      await buildBase(folder.path('other.index'), 40)
      await exportIndex(folder.path('other.index'), { format: 'hnswlib', out: file })
      let later: Promise<Written> | undefined
      const report = await importIndex(file, {
        path,
        metric: 'l2',
        dimensions: 4,
        threads: 1,
        logger: {
          // The import has begun when its first stage has read the file.
          info: (message) => {
            if (message.includes('ingest')) later = writer.upsert(liveBatch(200, 5))
          },
          warn: () => undefined,
        },
      })
      expect(report.count).toBe(40)
      expect((await later)?.count).toBe(5)
      await writer.flush()
      expect(writer.count).toBe(45)
      expect(writer.get(102)).toBeUndefined()
      expect(writer.get(202)?.vector).toEqual(liveVector(202))
      expect(writer.search(liveVector(203), { k: 1 })[0].id).toBe(203)
    } finally {
      await writer.close()
    }
    const reader = await openIndex(path)
    expect([reader.count, reader.generation]).toEqual([45, 'gen-000002'])
    await reader.close()
  })
})

describe('a build or an import of another shape over an index that takes changes', () => {
  it('is refused, with what to do, and leaves the index as it was', async () => {
    const path = folder.path('shape.index')
    await makeLiveIndex(path)
    const wide = [{ vector: [1, 2, 3, 4, 5] }, { vector: [5, 4, 3, 2, 1] }]
    const refused = { code: 'SHARDLOOM_INVALID_OPTION', message: expect.stringContaining('another folder') as string }
    await expect(buildIndex(wide, { path, threads: 1 })).rejects.toMatchObject(refused)
    const same = [{ vector: [1, 2, 3, 4] }, { vector: [4, 3, 2, 1] }]
    await expect(buildIndex(same, { path, threads: 1, metric: 'cosine' })).rejects.toMatchObject(refused)
    const index = await openIndex(path)
    expect([index.generation, index.dimensions, index.metric]).toEqual(['gen-000001', 4, 'l2'])
    await index.close()
    await expect(buildIndex(same, { path, threads: 1 })).resolves.toMatchObject({ generation: 'gen-000002' })
  })
})
