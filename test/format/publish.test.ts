import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { crc32 } from '../../spill/files/crc32.js'
import { listGenerations, nextGeneration } from '../../src/format/generation/generations.js'
import { publishGeneration } from '../../src/format/generation/publish-generation.js'
import { readManifest } from '../../src/format/generation/read-manifest.js'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import { temporaryFolder, writeTinyGeneration, writeTinyIndex } from '../fixtures/index-files.js'

const folder = temporaryFolder()
const namesIn = async (indexDir: string): Promise<string[]> => (await listGenerations(indexDir)).map(({ name }) => name)

describe('publishGeneration', () => {
  it('writes one line to CURRENT: the generation and its manifest’s CRC', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('line.index'))
    const crc = crc32(await readFile(join(directory, 'manifest.json')))
    expect(await readFile(join(indexDir, 'CURRENT'), 'utf8')).toBe(`gen-000001 ${crc.toString(16).padStart(8, '0')}\n`)
    expect((await readdir(indexDir)).sort()).toEqual(['CURRENT', 'gen-000001'])
  })

  it('keeps the requested number of complete generations, and no incomplete one', async () => {
    const indexDir = folder.path('keep.index')
    const publish = async (keepGenerations?: number): Promise<unknown> => {
      const { manifest } = await writeTinyGeneration(indexDir)
      return publishGeneration(indexDir, manifest.generation, manifest, { keepGenerations })
    }
    await publish()
    await publish()
    expect(await namesIn(indexDir)).toEqual(['gen-000001', 'gen-000002'])
    const { manifest: unfinished } = await writeTinyGeneration(indexDir)
    expect(unfinished.generation).toBe('gen-000003')
    expect(await publish()).toEqual({ deletedGenerations: ['gen-000003', 'gen-000001'], undeleted: [] })
    expect(await namesIn(indexDir)).toEqual(['gen-000002', 'gen-000004'])
    await publish(2)
    expect(await namesIn(indexDir)).toEqual(['gen-000002', 'gen-000004', 'gen-000005'])
    await publish(0)
    expect(await namesIn(indexDir)).toEqual(['gen-000006'])
    expect((await verifyIndex(indexDir)).ok).toBe(true)
  })

  it('leaves the old generation live when it fails before the rename', async () => {
    const { indexDir, manifest: old } = await writeTinyIndex(folder.path('fail.index'))
    const { manifest, directory } = await writeTinyGeneration(indexDir)
    const { generation } = manifest
    const stillLive = async (): Promise<void> => {
      expect((await readManifest(indexDir)).manifest).toEqual(old)
      expect((await verifyIndex(indexDir)).ok).toBe(true)
    }

    await expect(publishGeneration(indexDir, generation, { ...manifest, count: 49 })).rejects.toThrow(CorruptIndexError)
    await stillLive()

    const segment = join(directory, 'upper.seg')
    const bytes = await readFile(segment)
    await rm(segment)
    await expect(publishGeneration(indexDir, generation, manifest)).rejects.toThrow('the file is missing')
    await stillLive()
    await writeFile(segment, bytes)

    const blocker = join(directory, 'manifest.json')
    await mkdir(blocker)
    await expect(publishGeneration(indexDir, generation, manifest)).rejects.toThrow('there is a folder where a file')
    await stillLive()
    await rmdir(blocker)

    await mkdir(join(indexDir, 'CURRENT.tmp'))
    await expect(publishGeneration(indexDir, generation, manifest)).rejects.toThrow('CURRENT')
    await stillLive()

    // A folder of this name is not ours to delete.
    await rmdir(join(indexDir, 'CURRENT.tmp'))

    // The failures leave nothing in the way.
    await publishGeneration(indexDir, generation, manifest)
    expect((await readManifest(indexDir)).manifest).toEqual(manifest)
  })
})

describe('publishing deletes no folder that does not prove to be a generation', () => {
  const planted: [string, Record<string, string>, string][] = [
    ['notes', { 'notes.txt': 'mine' }, 'it holds notes.txt, which no build wrote'],
    ['a manifest of another program', { 'manifest.json': '{"name":"app"}' }, 'no build wrote what it holds'],
    [
      'a manifest of another generation',
      { 'manifest.json': '{"formatVersion":1,"generation":"gen-000009"}' },
      'no build',
    ],
    [
      'a segment’s name',
      { 'vectors-000.seg': 'segment of an orange' },
      'no build wrote what it holds: vectors-000.seg',
    ],
  ]
  it.each(planted)('one with %s', async (what, files, why) => {
    const indexDir = folder.path(`theirs with ${what}`)
    const theirs = join(indexDir, 'gen-000001')
    await mkdir(theirs, { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(theirs, name), text)
    const { manifest } = await writeTinyGeneration(indexDir)
    const published = await publishGeneration(indexDir, 'gen-000002', manifest, { keepGenerations: 0 })
    expect(published.deletedGenerations).toEqual([])
    expect(published.undeleted.map(({ generation, cause }) => `${generation}: ${String(cause)}`)).toEqual([
      expect.stringContaining(`gen-000001: ${why}`) as string,
    ])
    for (const [name, text] of Object.entries(files)) expect(await readFile(join(theirs, name), 'utf8')).toBe(text)
  })

  it('nor a file that was put into one', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('beside.index'))
    await writeFile(join(directory, 'notes.txt'), 'mine')
    const { manifest } = await writeTinyGeneration(indexDir)
    const { undeleted } = await publishGeneration(indexDir, 'gen-000002', manifest, { keepGenerations: 0 })
    expect(undeleted).toHaveLength(1)
    expect(await readFile(join(directory, 'notes.txt'), 'utf8')).toBe('mine')
  })

  it('but one that was never finished, or whose manifest is damaged', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('damaged.index'))
    await writeFile(join(directory, 'manifest.json'), '{')
    await mkdir(join(indexDir, 'gen-000002'))
    await writeFile(join(indexDir, 'gen-000002', 'ids-000.seg'), '')
    await mkdir(join(indexDir, 'gen-000003'))
    const { manifest } = await writeTinyGeneration(indexDir)
    await publishGeneration(indexDir, 'gen-000004', manifest, { keepGenerations: 0 })
    expect(await namesIn(indexDir)).toEqual(['gen-000004'])
  })
})

describe('nextGeneration', () => {
  it('follows the newest entry of such a name: a folder, finished or not, or a file', async () => {
    const indexDir = folder.path('next.index')
    expect(await nextGeneration(indexDir)).toBe('gen-000001')
    await mkdir(join(indexDir, 'gen-000041'), { recursive: true })
    await mkdir(join(indexDir, 'gen-7'))
    expect(await nextGeneration(indexDir)).toBe('gen-000042')
    await writeFile(join(indexDir, 'gen-000099'), 'a file')
    expect(await nextGeneration(indexDir)).toBe('gen-000100')
    await mkdir(join(indexDir, 'gen-1000000'))
    expect(await nextGeneration(indexDir)).toBe('gen-1000001')
  })
})
