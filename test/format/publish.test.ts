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

    // The failures leave nothing in the way.
    await publishGeneration(indexDir, generation, manifest)
    expect((await readManifest(indexDir)).manifest).toEqual(manifest)
  })
})

describe('nextGeneration', () => {
  it('follows the newest folder, finished or not', async () => {
    const indexDir = folder.path('next.index')
    expect(await nextGeneration(indexDir)).toBe('gen-000001')
    await mkdir(join(indexDir, 'gen-000041'), { recursive: true })
    await mkdir(join(indexDir, 'gen-7'))
    await writeFile(join(indexDir, 'gen-000099'), 'a file')
    expect(await nextGeneration(indexDir)).toBe('gen-000042')
    await mkdir(join(indexDir, 'gen-1000000'))
    expect(await nextGeneration(indexDir)).toBe('gen-1000001')
  })
})
