import { cp, mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError, PathError } from '../../src/errors.js'
import { readCurrent } from '../../src/format/current.js'
import type { Manifest } from '../../src/format/manifest.js'
import { parseManifest } from '../../src/format/manifest-json.js'
import { readManifest } from '../../src/format/read-manifest.js'
import { checkSegmentHeaders } from '../../src/format/read-segment-header.js'
import { allBits, outcome, temporaryFolder, withEachBitFlipped, writeTinyIndex } from './fixture.js'

const folder = temporaryFolder()

describe('readManifest', () => {
  it('gives the manifest that was published and its folder', async () => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path('published'))
    expect(await readManifest(indexDir)).toMatchObject({ manifest, directory })
    await checkSegmentHeaders(directory, manifest)
  })

  it('says that there is no index where there is none, and how to make one', async () => {
    await mkdir(folder.path('empty'))
    await writeFile(folder.path('file'), '')
    for (const name of ['empty', 'absent', 'file']) {
      const refused = readManifest(folder.path(name))
      await expect(refused).rejects.toThrow(PathError)
      await expect(refused).rejects.toThrow(/there is no index here.*buildIndex\(source, \{ path \}\).*shardloom build/)
    }
    expect(await readCurrent(folder.path('absent'))).toBeUndefined()
  })

  it('finds every flipped bit of CURRENT and of manifest.json', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('flips'))
    // A neighbour with a sound manifest, which a flipped digit in CURRENT would name.
    await cp(directory, join(indexDir, 'gen-000000'), { recursive: true })
    for (const path of [join(indexDir, 'CURRENT'), join(directory, 'manifest.json')]) {
      const { size } = await stat(path)
      await withEachBitFlipped(path, allBits(size), async (bit) => {
        expect(await outcome(readManifest(indexDir)), `${path} bit ${bit}`).toBeInstanceOf(CorruptIndexError)
      })
    }
    await readManifest(indexDir)
  })

  it('refuses when a listed file is missing, cut, lengthened or a folder', async () => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path('files'))
    const [{ name, bytes }] = manifest.segments
    const path = join(directory, name)
    await truncate(path, bytes - 1)
    await expect(readManifest(indexDir)).rejects.toThrow('truncated')
    await truncate(path, bytes + 1)
    await expect(readManifest(indexDir)).rejects.toThrow('longer than it was written')
    await rm(path)
    await expect(readManifest(indexDir)).rejects.toThrow('the file is missing')
    await mkdir(path)
    await expect(readManifest(indexDir)).rejects.toThrow('not a file')
    await rm(directory, { recursive: true })
    await expect(readManifest(indexDir)).rejects.toThrow(CorruptIndexError)
  })
})

describe('parseManifest', () => {
  type Change = (manifest: Record<string, unknown> & Manifest) => unknown
  const segment =
    (change: object): Change =>
    (manifest) => ({
      ...manifest,
      segments: [{ ...manifest.segments[0], ...change }, ...manifest.segments.slice(1)],
    })
  const set =
    (change: object): Change =>
    (manifest) => ({ ...manifest, ...change })
  const broken: readonly (readonly [string, Change])[] = [
    ['formatVersion', set({ formatVersion: 2 })],
    ['generation', set({ generation: '../gen-000001' })],
    ['createdAt', set({ createdAt: 'yesterday' })],
    ['metric', set({ metric: 'cityblock' })],
    ['dimensions', set({ dimensions: 0 })],
    ['dimensions', set({ dimensions: 2.5 })],
    ['count', set({ count: 0 })],
    ['count', set({ count: 2 ** 32 })],
    ['m', set({ m: '16' })],
    ['seed', set({ seed: -1 })],
    ['engine', set({ engine: '' })],
    ['entryPoint', set({ entryPoint: null })],
    ['entryPoint.node', set({ entryPoint: { node: 50, level: 2, index: 0 } })],
    ['entryPoint.level', set({ entryPoint: { node: 0, level: 1, index: 0 } })],
    ['entryPoint.index', set({ levels: 0, entryPoint: { node: 1, level: 0, index: 0 } })],
    ['levels', set({ levels: 1e6 })],
    ['ids', set({ ids: 'none' })],
    ['segments', set({ segments: {} })],
    ['extra', set({ extra: 1 })],
    ['report', set({ report: [] })],
    ['report.recallAt10', (manifest) => ({ ...manifest, report: { ...manifest.report, recallAt10: null } })],
    ['report.count', (manifest) => ({ ...manifest, report: { ...manifest.report, count: 49 } })],
    [
      'report.stages[0].seconds',
      (manifest) => ({ ...manifest, report: { ...manifest.report, stages: [{ name: 'x' }] } }),
    ],
    ['segments[0].name', segment({ name: '../vectors-000.seg' })],
    ['segments[0].name', segment({ name: 'vectors-00.seg' })],
    ['segments[0].name', segment({ name: 'upper-000.seg' })],
    ['segments[1].name', (manifest) => ({ ...manifest, segments: [manifest.segments[0], ...manifest.segments] })],
    ['segments[0].kind', segment({ kind: 'links' })],
    ['segments[0].firstNode', segment({ firstNode: 1 })],
    ['segments[0].count', segment({ count: 51 })],
    ['segments[0].bytes', segment({ bytes: 5000 })],
    ['segments[0].crc32', segment({ crc32: 2 ** 32 })],
    ['segments[0].path', segment({ path: '/' })],
    ['segments', (manifest) => ({ ...manifest, segments: manifest.segments.filter(({ kind }) => kind !== 'upper') })],
    [
      'segments',
      (manifest) => ({ ...manifest, segments: manifest.segments.filter(({ kind }) => kind !== 'id-table') }),
    ],
    ['segments', (manifest) => ({ ...manifest, segments: manifest.segments.filter(({ kind }) => kind !== 'links') })],
  ]

  it('names the field that is wrong', async () => {
    const { manifest } = await writeTinyIndex(folder.path('fields'))
    const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
    expect(parseManifest(encode(manifest), 'manifest.json')).toEqual(manifest)
    for (const [field, change] of broken) {
      const bytes = encode(change({ ...manifest }))
      const parse = (): unknown => parseManifest(bytes, 'manifest.json')
      expect(parse, field).toThrow(CorruptIndexError)
      expect(parse, field).toThrow(`field ${field} must be`)
    }
  })

  it('refuses what is not JSON or not UTF-8', () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('{'), Uint8Array.of(0x22, 0xff, 0x22)]) {
      expect(() => parseManifest(bytes, 'manifest.json')).toThrow('this is not JSON')
    }
  })
})
