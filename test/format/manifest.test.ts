import { cp, mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError, PathError } from '../../src/errors.js'
import type { Quantization } from '../../src/api/report.js'
import { readCurrent } from '../../src/format/generation/current.js'
import type { Manifest } from '../../src/format/generation/manifest.js'
import { parseManifest } from '../../src/format/generation/manifest-json.js'
import { readManifest } from '../../src/format/generation/read-manifest.js'
import { checkSegmentHeaders } from '../../src/format/segment/read-segment-header.js'
import type { Field } from '../../src/fields/field.js'
import type { SegmentFile, SegmentKind } from '../../src/format/segment/segment-file.js'
import { segmentFileBytes } from '../../src/format/segment/segment-header.js'
import { allBits, outcome, temporaryFolder, withEachBitFlipped, writeTinyIndex } from '../fixtures/index-files.js'
import { some } from '../whole.js'
import { HOSTS } from '../fixtures/reports.js'
import { QUANTIZATIONS } from '../../src/api/report.js'

const folder = temporaryFolder()

describe('readManifest', () => {
  it('reads the published manifest and its folder', async () => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path('published'))
    expect(await readManifest(indexDir)).toMatchObject({ manifest, directory })
    await checkSegmentHeaders(directory, manifest)
  })

  it('says that there is no index, and how to make one', async () => {
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
    // Another generation with a sound manifest, which a flipped digit in CURRENT would name.
    await cp(directory, join(indexDir, 'gen-000000'), { recursive: true })
    for (const path of [join(indexDir, 'CURRENT'), join(directory, 'manifest.json')]) {
      const { size } = await stat(path)
      await withEachBitFlipped(path, some(allBits(size), 9), async (bit) => {
        expect(await outcome(readManifest(indexDir)), `${path} bit ${bit}`).toBeInstanceOf(CorruptIndexError)
      })
    }
    await readManifest(indexDir)
  })

  it('refuses a listed file that is missing, truncated, extended or a folder', async () => {
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
  const inReport =
    (change: object): Change =>
    (manifest) => ({ ...manifest, report: { ...manifest.report, ...change } })
  const pressure = { elevated: 0, high: 0, critical: 0, ingestPauses: 0 }
  const sample = { atSeconds: 0, stage: 'route', rssBytes: 1, queueBytes: 0, spilledBytes: 0, pressure: 'normal' }
  const host = HOSTS[0]
  const histogram = { from: 0, width: 1, counts: [1], least: 0, most: 0 }
  const broken: readonly (readonly [string, Change])[] = [
    ['formatVersion', set({ formatVersion: 2 })],
    ['generation', set({ generation: '../gen-000001' })],
    ['createdAt', set({ createdAt: 'yesterday' })],
    ['metric', set({ metric: 'cityblock' })],
    ['dimensions', set({ dimensions: 0 })],
    ['dimensions', set({ dimensions: 2.5 })],
    ['storage', set({ quantization: 'f64' })],
    ['storage', set({ quantization: 'binary' })],
    ['report.quantization', set({ quantization: 'f16' })],
    ['count', set({ count: 0 })],
    ['count', set({ count: 2 ** 32 })],
    ['distinctIds', set({ distinctIds: 0 })],
    ['distinctIds', set({ distinctIds: 51 })],
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
    ['report.quantization', (manifest) => ({ ...manifest, report: { ...manifest.report, quantization: 'f16' } })],
    ['report.count', (manifest) => ({ ...manifest, report: { ...manifest.report, count: 49 } })],
    [
      'report.stages[0].seconds',
      (manifest) => ({ ...manifest, report: { ...manifest.report, stages: [{ name: 'x' }] } }),
    ],
    ['report.stages[0].atSeconds', inReport({ stages: [{ name: 'x', seconds: 1, peakRssBytes: 1, atSeconds: '1' }] })],
    ['report.seconds', inReport({ seconds: 1e300 })],
    ['report.selfRecall', inReport({ selfRecall: '1' })],
    ['report.distinctIds', inReport({ distinctIds: '1' })],
    ['report.resumeBytes', inReport({ resumeBytes: '1' })],
    ['report.memory', inReport({ memory: 'much' })],
    ['report.memory.pressure.high', inReport({ memory: { pressure: { elevated: 0 }, timeline: [] } })],
    ['report.memory.timeline[0].atSeconds', inReport({ memory: { pressure, timeline: [{}] } })],
    [
      'report.memory.timeline[0].cgroupBytes',
      inReport({ memory: { pressure, timeline: [{ ...sample, cgroupBytes: '' }] } }),
    ],
    [
      'report.memory.timeline[0].vectorsDone',
      inReport({ memory: { pressure, timeline: [{ ...sample, vectorsDone: null }] } }),
    ],
    ['report.graph', inReport({ graph: [] })],
    ['report.graph.degrees', inReport({ graph: { levels: [50] } })],
    ['report.graph.degrees.width', inReport({ graph: { degrees: { ...histogram, width: 0 }, levels: [50] } })],
    ['report.graph.degrees.from', inReport({ graph: { degrees: { ...histogram, from: 0.5 }, levels: [50] } })],
    [
      'report.graph.degrees.counts.length',
      inReport({ graph: { degrees: { ...histogram, counts: [] }, levels: [50] } }),
    ],
    ['report.graph.shardSizes', inReport({ graph: { degrees: histogram, levels: [50], shardSizes: 7 } })],
    ['report.graph.levels[1]', inReport({ graph: { degrees: histogram, levels: [50, -1] } })],
    ['report.graph.levels.length', inReport({ graph: { degrees: histogram, levels: new Array(5000).fill(1) } })],
    ['report.resumed.startedAt', inReport({ resumed: { vectors: 1, shards: 0, segments: 0 } })],
    ['report.hosts', inReport({ hosts: 3 })],
    ['report.hosts[0].tasks', inReport({ hosts: [{ ...host, tasks: '7' }] })],
    ['report.hosts[1].host', inReport({ hosts: [host, { ...host, host: 7 }] })],
    ['report.hosts[0].refused', inReport({ hosts: [{ ...host, refused: 7 }] })],
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
    expect(parseManifest(encode(manifest), 'manifest.json')).toEqual(manifest)
    for (const [field, change] of broken) {
      const bytes = encode(change({ ...manifest }))
      const parse = (): unknown => parseManifest(bytes, 'manifest.json')
      expect(parse, field).toThrow(CorruptIndexError)
      expect(parse, field).toThrow(`field ${field} must be`)
    }
  })

  it('accepts a report from before memory, shard sizes and degrees were recorded', async () => {
    const { manifest } = await writeTinyIndex(folder.path('before-memory'))
    const { memory: _, ...report } = manifest.report
    expect(parseManifest(encode({ ...manifest, report }), 'manifest.json')).toEqual({ ...manifest, report })
  })

  /** The field as in the file: format 1 calls the quantization `storage`. */
  const encode = (manifest: unknown): Uint8Array => {
    const { quantization, ...fields } = manifest as Record<string, unknown>
    return new TextEncoder().encode(JSON.stringify({ ...fields, storage: quantization }))
  }

  it.each(QUANTIZATIONS)('accepts a manifest with quantization %s', async (quantization) => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path(`quantization-${quantization}`), {
      quantization,
    })
    expect((await readManifest(indexDir)).manifest).toEqual(manifest)
    await checkSegmentHeaders(directory, manifest)
    const kinds = manifest.segments.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'codes').length).toBe(quantization === 'f32' ? 0 : 2)
    expect(kinds.filter((kind) => kind === 'codebook').length).toBe(
      quantization === 'f32' || quantization === 'f16' ? 0 : 1,
    )
  })

  it('accepts an earlier report that calls the quantization storage', async () => {
    const { manifest } = await writeTinyIndex(folder.path('storage'), { quantization: 'sq8' })
    const { quantization, ...report } = manifest.report
    const before = { ...manifest, report: { ...report, storage: quantization } }
    expect(parseManifest(encode(before), 'manifest.json')).toEqual(manifest)
    expect(() => parseManifest(encode({ ...before, report: { ...report, storage: 'pq' } }), 'manifest.json')).toThrow(
      'field report.quantization must be',
    )
  })

  it('takes a manifest without quantization, from before there were codes, as f32', async () => {
    const { manifest } = await writeTinyIndex(folder.path('before-quantization'))
    const {
      quantization: _,
      report: { quantization: __, ...report },
      ...rest
    } = manifest
    const before = { ...rest, report }
    expect(parseManifest(encode(before), 'manifest.json')).toEqual(manifest)
  })

  type ChangeFiles = (segments: readonly SegmentFile[]) => readonly SegmentFile[]
  const changed =
    (name: string, change: Partial<SegmentFile>): ChangeFiles =>
    (segments) =>
      segments.map((one) => (one.name === name ? { ...one, ...change } : one))
  it.each<readonly [string, Quantization, string, ChangeFiles]>([
    [
      'codes under f32',
      'f32',
      'segments',
      (files) => [...files, { ...files[0], name: 'codes-000.seg', kind: 'codes' }],
    ],
    [
      'a codebook under f16',
      'f16',
      'segments',
      (files) => [...files, { ...files[0], name: 'codebook.seg', kind: 'codebook' }],
    ],
    ['no codes', 'f16', 'segments', (files) => files.filter(({ kind }) => kind !== 'codes')],
    ['codes of half of the nodes', 'f16', 'segments', (files) => files.filter(({ name }) => name !== 'codes-001.seg')],
    ['codes of another length', 'sq8', 'segments[2].bytes', changed('codes-000.seg', { bytes: 4096 + 25 * 4 + 8 })],
    ['no codebook', 'pq', 'segments', (files) => files.filter(({ kind }) => kind !== 'codebook')],
    ['a codebook of another length', 'pq', 'segments[8].bytes', changed('codebook.seg', { bytes: 4096 + 3072 + 12 })],
    ['a codebook of nodes', 'sq8', 'segments[8].count', changed('codebook.seg', { count: 1 })],
    ['a codebook of other nodes', 'binary', 'segments[8].firstNode', changed('codebook.seg', { firstNode: 1 })],
  ])('refuses %s', async (name, quantization, field, change) => {
    const { manifest } = await writeTinyIndex(folder.path(`codes ${name}`), { quantization })
    const bytes = encode({ ...manifest, segments: change(manifest.segments) })
    expect(() => parseManifest(bytes, 'manifest.json')).toThrow(`field ${field} must be`)
  })

  it('refuses codes with other ranges than the vectors', async () => {
    const { manifest } = await writeTinyIndex(folder.path('ranges'), { quantization: 'f16' })
    const bytesOf = (count: number): number => segmentFileBytes(6 * count)
    const segments = manifest.segments.map((one) => {
      if (one.name === 'codes-000.seg') return { ...one, count: 24, bytes: bytesOf(24) }
      return one.name === 'codes-001.seg' ? { ...one, firstNode: 24, count: 26, bytes: bytesOf(26) } : one
    })
    const bytes = encode({ ...manifest, segments })
    expect(() => parseManifest(bytes, 'manifest.json')).toThrow(
      'field segments[2].count must be an integer from 25 to 25',
    )
  })

  describe('with fields', () => {
    const FIELDS: readonly Field[] = [
      { name: 'tags', type: 'keyword[]' },
      { name: 'note', type: 'stored' },
      { name: 'title', type: 'text' },
    ]
    const file = (kind: SegmentKind, name: string, firstNode = 0, count = 50): SegmentFile =>
      ({ name, kind, firstNode, count, bytes: 5000, crc32: 1 }) // prettier-ignore
    const FILES = [
      file('fields', 'fields-000.seg', 0, 20),
      file('fields', 'fields-001.seg', 20, 30),
      file('column', 'column-000.seg'),
      file('dictionary', 'dictionary-000.seg'),
      file('column', 'column-002.seg'),
      file('terms', 'terms-002.seg'),
      file('postings', 'postings-002.seg'),
    ]
    const parse = async (fields: unknown, files: readonly SegmentFile[]): Promise<Manifest> => {
      const { manifest } = await writeTinyIndex(folder.path('with-fields'))
      return parseManifest(encode({ ...manifest, fields, segments: [...manifest.segments, ...files] }), 'manifest.json')
    }
    const without = (name: string): readonly SegmentFile[] => FILES.filter((one) => one.name !== name)
    const changedFile = (name: string, change: Partial<SegmentFile>): readonly SegmentFile[] =>
      FILES.map((one) => (one.name === name ? { ...one, ...change } : one))

    it('accepts exactly the files of their types', async () => {
      const { fields, segments } = await parse(FIELDS, FILES)
      expect(fields).toEqual(FIELDS)
      expect(segments).toEqual(expect.arrayContaining(FILES))
    })

    it.each<readonly [string, string, unknown]>([
      ['no list', 'fields', {}],
      ['an empty list', 'fields', []],
      ['more than 256 fields', 'fields', Array.from({ length: 257 }, (_, i) => ({ name: `${i}`, type: 'stored' }))],
      ['an empty name', 'fields', [{ name: '', type: 'stored' }]],
      ['a name like an operator', 'fields', [{ name: '$in', type: 'stored' }]],
      ['a name with half of a surrogate pair', 'fields', [{ name: '\ud800', type: 'stored' }]],
      ['an unknown type', 'fields', [{ name: 'a', type: 'string' }]],
      ['more than name and type', 'fields[0].index', [{ name: 'a', type: 'stored', index: true }]],
      ['one name twice', 'fields', [...FIELDS, { name: 'note', type: 'stored' }]],
    ])('refuses %s', async (_, field, fields) => {
      await expect(parse(fields, FILES)).rejects.toThrow(`field ${field} must be`)
    })

    it.each<readonly [string, string, readonly SegmentFile[], readonly Field[] | undefined]>([
      ['files without fields', 'segments[8].name', FILES, undefined],
      ['columns without fields', 'segments[8].name', FILES.slice(2), undefined],
      ['rows of some nodes', 'segments', without('fields-001.seg'), FIELDS],
      ['no dictionary of keywords', 'segments', without('dictionary-000.seg'), FIELDS],
      ['no postings of a text', 'segments', without('postings-002.seg'), FIELDS],
      ['a column of a stored field', 'segments[15].name', [...FILES, file('column', 'column-001.seg')], FIELDS],
      ['a column of no field', 'segments[15].name', [...FILES, file('column', 'column-003.seg')], FIELDS],
      ['a column under another number', 'segments[15].name', [...FILES, file('column', 'column-0002.seg')], FIELDS],
      ['a column of some nodes', 'segments[10].count', changedFile('column-000.seg', { count: 49 }), FIELDS],
      ['a column of later nodes', 'segments[10].firstNode', changedFile('column-000.seg', { firstNode: 1 }), FIELDS],
    ])('refuses %s', async (_, field, files, fields) => {
      await expect(parse(fields, files)).rejects.toThrow(`field ${field} must be`)
    })
  })

  it('refuses bytes that are not JSON or not UTF-8', () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('{'), Uint8Array.of(0x22, 0xff, 0x22)]) {
      expect(() => parseManifest(bytes, 'manifest.json')).toThrow('this is not JSON')
    }
  })
})
