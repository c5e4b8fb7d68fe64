import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PathError } from '../../src/errors.js'
import { idFingerprint } from '../../src/format/ids/id-fingerprint.js'
import { encodeIdTable, idTableView } from '../../src/format/ids/id-table.js'
import { encodeIds } from '../../src/format/ids/encode-ids.js'
import type { Manifest } from '../../src/format/generation/manifest.js'
import { publishGeneration } from '../../src/format/generation/publish-generation.js'
import { readSegmentData } from '../../src/format/segment/segment-reader.js'
import { readSegmentHeader } from '../../src/format/segment/read-segment-header.js'
import type { SegmentFile } from '../../src/format/segment/segment-file.js'
import { idsHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../../src/format/segment/segment-header.js'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import { MAX_LISTED_PROBLEMS } from '../../src/format/verify/verify-report.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import {
  allBits,
  pseudoRandomBytes,
  temporaryFolder,
  tinyId,
  withEachBitFlipped,
  writeTinyGeneration,
  writeTinyIndex,
  type TinyShape,
} from '../fixtures/index-files.js'
import { some } from '../whole.js'
import { QUANTIZATIONS } from '../../src/api/report.js'

const folder = temporaryFolder()

/** Replaces a segment's data by the result of `change`, and seals and publishes it with correct checksums. */
async function publishChanged(
  name: string,
  segmentName: string,
  change: (data: Uint8Array, header: SegmentHeader) => Uint8Array | void,
  given: Partial<TinyShape> & { changeManifest?: (manifest: Manifest) => Manifest } = {},
): Promise<string> {
  const { changeManifest, ...shape } = given
  const { indexDir, directory, manifest } = await writeTinyGeneration(folder.path(name), shape)
  const file = manifest.segments.find((segment) => segment.name === segmentName)
  if (file === undefined) throw new Error(`no ${segmentName}`)
  const path = join(directory, segmentName)
  const header = await readSegmentHeader(path, file)
  const data = new Uint8Array(header.dataBytes)
  await readSegmentData(path, file, (offset, length) => data.subarray(offset, offset + length))
  const changed = change(data, header) ?? data
  const sealed = await writeSegment(path, { ...header, dataBytes: changed.length }, changed)
  const segments = manifest.segments.map((segment) => (segment === file ? sealed : segment))
  const published = { ...manifest, segments }
  await publishGeneration(indexDir, manifest.generation, changeManifest?.(published) ?? published)
  return indexDir
}

const words = (data: Uint8Array): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length / 4)

describe('verifyIndex', () => {
  it('finds no problem in a sound index, and reports how much it checked', async () => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path('sound'))
    let last = { bytesChecked: 0, totalBytes: 1 }
    const report = await verifyIndex(indexDir, (progress) => (last = progress))
    const sizes = await Promise.all(
      ['manifest.json', ...manifest.segments.map(({ name }) => name)].map((name) => stat(join(directory, name))),
    )
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0)
    expect(report).toMatchObject({ ok: true, problems: [], problemCount: 0, generation: 'gen-000001', count: 50 })
    expect(report.filesChecked).toBe(manifest.segments.length + 2)
    expect(report.bytesChecked).toBe(bytes)
    expect(last.bytesChecked).toBe(last.totalBytes)
    expect(last.totalBytes).toBe(bytes)
    // Level 0 has 1 to 4 links by node number modulo 4; 17 nodes of level 1 and 6 of level 2 have 2 each.
    const levelZero = Array.from({ length: 50 }, (_, node) => 1 + (node % 4)).reduce((a, b) => a + b, 0)
    expect(report.linksChecked).toBe(levelZero + 2 * 17 + 2 * 6)
  })

  it.each(QUANTIZATIONS)('finds no problem in sound codes of %s', async (quantization) => {
    const { indexDir, manifest } = await writeTinyIndex(folder.path(`sound ${quantization}`), { quantization })
    expect(await verifyIndex(indexDir)).toMatchObject({
      problems: [],
      filesChecked: manifest.segments.length + 2,
    })
  })

  it('finds no problem in segments of many chunks', async () => {
    const { indexDir } = await writeTinyIndex(folder.path('large'), { count: 120_000, dimensions: 20, m: 8 })
    expect(await verifyIndex(indexDir)).toMatchObject({ ok: true, problems: [] })
  })

  it.each([
    ['any file', 'f32'],
    ['codes and codebook', 'pq'],
  ] as const)('finds a flipped bit in any place of %s', async (_, quantization) => {
    const { indexDir, directory, manifest } = await writeTinyIndex(folder.path(`flips ${quantization}`), {
      quantization,
    })
    const check = async (path: string, bits: Iterable<number>): Promise<void> =>
      withEachBitFlipped(path, some(bits, 16), async (bit) => {
        const { ok, problems } = await verifyIndex(indexDir)
        expect({ ok, bit, path, found: problems.length > 0 }).toEqual({ ok: false, bit, path, found: true })
      })
    if (quantization === 'f32') {
      for (const path of [join(indexDir, 'CURRENT'), join(directory, 'manifest.json')]) {
        await check(path, allBits((await stat(path)).size))
      }
    }
    const isOfCodes = ({ kind }: SegmentFile): boolean => kind === 'codes' || kind === 'codebook'
    for (const { name, bytes } of manifest.segments.filter((file) => quantization === 'f32' || isOfCodes(file))) {
      const path = join(directory, name)
      await check(path, allBits(52))
      await check(path, allBits(4, SEGMENT_HEADER_BYTES - 4))
      // The footer of a one-block segment, and a sample of everything else: bits from hashed positions.
      await check(path, allBits(8, bytes - 8))
      const positions = new Uint32Array(pseudoRandomBytes(4 * 100, bytes).buffer)
      await check(
        path,
        [...positions].map((position) => position % (8 * bytes)),
      )
      const dataBits = 8 * (bytes - SEGMENT_HEADER_BYTES)
      await check(
        path,
        [...positions].map((position) => 8 * SEGMENT_HEADER_BYTES + (position % dataBits)),
      )
    }
    expect((await verifyIndex(indexDir)).ok).toBe(true)
  })

  it('names the block of a flipped bit once, and continues with the other files', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('two'), { count: 120_000, dimensions: 20 })
    const inLinks = SEGMENT_HEADER_BYTES + 3 * 16_384
    // The last block of the first 4 MiB: whole records make chunks that overlap it.
    const inVectors = SEGMENT_HEADER_BYTES + 255 * 16_384
    for (const [name, offset] of [
      ['vectors-001.seg', inVectors + 16_380],
      ['links-000.seg', inLinks + 1],
    ] as const) {
      const bytes = await readFile(join(directory, name))
      bytes[offset] ^= 4
      await writeFile(join(directory, name), bytes)
    }
    expect((await verifyIndex(indexDir)).problems).toMatchObject([
      { path: join(directory, 'vectors-001.seg'), offset: inVectors },
      { path: join(directory, 'links-000.seg'), offset: inLinks },
    ])
  })

  it('names a file that is missing, truncated or extended', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('sizes'))
    await rm(join(directory, 'links-000.seg'))
    await truncate(join(directory, 'upper.seg'), 4000)
    await truncate(join(directory, 'ids-001.seg'), 1e6)
    const { problems } = await verifyIndex(indexDir)
    expect(problems).toHaveLength(3)
    const reasonOf = (name: string): string | undefined =>
      problems.find(({ path }) => path === join(directory, name))?.reason
    expect(reasonOf('links-000.seg')).toBe('the file is missing')
    expect(reasonOf('upper.seg')).toMatch('the file is truncated: 4000 bytes')
    expect(reasonOf('ids-001.seg')).toMatch('the file is longer than it was written: 1000000 bytes')
  })

  it('reports a file that no manifest lists', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('stranger'))
    await writeFile(join(directory, 'notes.txt'), 'mine')
    expect((await verifyIndex(indexDir)).problems).toEqual([
      { path: join(directory, 'notes.txt'), reason: 'the manifest does not list this file' },
    ])
  })

  it('throws only when there is no index', async () => {
    await mkdir(folder.path('none'))
    await expect(verifyIndex(folder.path('none'))).rejects.toThrow(PathError)
  })

  it.each([
    ['leads out of the index', 2, 50, 'link 1 leads to 50, of 50'],
    ['leads to its own node', 1, 3, 'link 0 leads to itself'],
    ['is there twice', 2, 4, 'links 0 and 1 both lead to 4'],
    ['is one too many', 0, 5, '5 links, at most 4 fit'],
    ['is left over', 0, 3, 'unused link 3 is 7, not 0'],
  ])('finds a link that %s', async (name, word, value, reason) => {
    const indexDir = await publishChanged(`link ${name}`, 'links-000.seg', (data) => {
      words(data)[3 * 5 + word] = value
    })
    const path = join(indexDir, 'gen-000001', 'links-000.seg')
    const offset = SEGMENT_HEADER_BYTES + 3 * 5 * 4
    expect((await verifyIndex(indexDir)).problems).toEqual([{ path, offset, reason: `node 3: ${reason}` }])
  })

  it('counts all problems and lists the first hundred', async () => {
    const indexDir = await publishChanged('many', 'links-000.seg', (data) => void words(data).fill(60), { count: 400 })
    const { ok, problems, problemCount } = await verifyIndex(indexDir)
    expect({ ok, problemCount }).toEqual({ ok: false, problemCount: 200 })
    expect(problems).toHaveLength(MAX_LISTED_PROBLEMS)
  })

  // Level 1: word 1 is its count 17, then 17 nodes, 17 down, 17 rows of 3 link words; then level 2 with 6 nodes.
  const levelTwo = 1 + 1 + 17 * 5
  it.each([
    ['a node that is not there', 1 + 17, 50, 'level 1, entry 16: node 50 of 50'],
    ['nodes out of order', 2 + 1, 9, 'level 1, entry 2: node 6 follows 9, not ascending'],
    ['a wrong way down', levelTwo + 1 + 6, 1, 'level 2, entry 0: node 0 leads down to node 3'],
    ['a way down to nowhere', levelTwo + 1 + 6, 17, 'level 2, entry 0: node 0 leads down to entry 17 of 17'],
    ['a link to nowhere', 2 + 34 + 1, 17, 'level 1, entry 0: link 0 leads to 17, of 17'],
    ['a link count too large', levelTwo + 1 + 12, 3, 'level 2, entry 0: 3 links, at most 2 fit'],
    ['another level count', 0, 1, '1 levels, the manifest says 2'],
    ['another node count', 1, 16, 'level 2 with'],
  ])('finds, in the upper levels, %s', async (name, word, value, reason) => {
    const indexDir = await publishChanged(`upper ${name}`, 'upper.seg', (data) => {
      words(data)[word] = value
    })
    const { problems } = await verifyIndex(indexDir)
    expect(problems.map((problem) => problem.reason)).toContainEqual(expect.stringContaining(reason))
  })

  it('finds an entry point that differs from the manifest', async () => {
    const changeManifest = (manifest: Manifest): Manifest => ({
      ...manifest,
      entryPoint: { ...manifest.entryPoint, node: 10 },
    })
    const indexDir = await publishChanged('entry', 'upper.seg', () => undefined, { changeManifest })
    expect((await verifyIndex(indexDir)).problems).toMatchObject([
      { reason: expect.stringContaining('entry point') as string },
    ])
  })

  it.each([
    [
      'rows out of order',
      (rows: Uint32Array) => {
        const [first, second] = [rows.slice(0, 4), rows.slice(4, 8)]
        rows.set(second, 0)
        rows.set(first, 4)
      },
      'the row is smaller than the one before it',
    ],
    ['a node that is not there', (rows: Uint32Array) => void (rows[2] = 50), 'node 50 of 50'],
    ['a node twice', (rows: Uint32Array) => void (rows[6] = rows[2]), 'in the table twice'],
    ['a used reserved word', (rows: Uint32Array) => void (rows[3] = 1), 'reserved word'],
    ['a hash of another id', (rows: Uint32Array) => void (rows[5] ^= 1), 'does not match the stored ids'],
    [
      'two nodes exchanged',
      (rows: Uint32Array) => {
        ;[rows[2], rows[6]] = [rows[6], rows[2]]
      },
      'does not match the stored ids',
    ],
  ])('finds, in the id table, %s', async (name, change, reason) => {
    const indexDir = await publishChanged(`table ${name}`, 'id-table.seg', (data) => change(idTableView(data, 'table')))
    const { problems } = await verifyIndex(indexDir)
    expect(problems.map((problem) => problem.reason)).toContainEqual(expect.stringContaining(reason))
  })

  it.each([
    ['an unknown tag', (data: Uint8Array) => void (data[4 * 26] = 2), 'the id of node 0 has tag 2'],
    ['bytes that are not UTF-8', (data: Uint8Array) => void (data[4 * 26 + 1] = 0xff), 'the id of node 0 is not UTF-8'],
    ['an empty id', (data: Uint8Array) => void (words(data)[1] = 0), 'id 0 lies at blob bytes 0 to 0'],
    ['an offset past the end', (data: Uint8Array) => void (words(data)[25] = 1e6), 'id 24 lies at'],
    ['bytes after the last id', (data: Uint8Array) => Buffer.concat([data, Buffer.from('x')]), 'the ids end at'],
  ])('finds, among the ids, %s', async (name, change, reason) => {
    const indexDir = await publishChanged(`ids ${name}`, 'ids-000.seg', (data) => change(data))
    const { problems } = await verifyIndex(indexDir)
    expect(problems.map((problem) => problem.reason)).toContainEqual(expect.stringContaining(reason))
  })

  it.each([
    ['f16', 6],
    ['sq8', 8],
    ['pq', 1],
    ['binary', 16],
  ] as const)('finds a code of %s that does not match its vector, and names its node', async (quantization, stride) => {
    const change = (data: Uint8Array): void => void (data[stride * 7] ^= 64)
    const indexDir = await publishChanged(`code ${quantization}`, 'codes-001.seg', change, { quantization })
    const path = join(indexDir, 'gen-000001', 'codes-001.seg')
    expect((await verifyIndex(indexDir)).problems).toEqual([
      { path, offset: SEGMENT_HEADER_BYTES + stride * 7, reason: 'node 32: the code does not match its vector' },
    ])
  })

  it('names all wrong codes in many chunks', async () => {
    const given = { count: 60_000, dimensions: 20, quantization: 'sq8' } as const
    const change = (data: Uint8Array): void => {
      for (const row of [0, 13_107, 29_999]) data[24 * row + 3] ^= 1
    }
    const indexDir = await publishChanged('codes', 'codes-001.seg', change, given)
    expect((await verifyIndex(indexDir)).problems.map(({ reason }) => reason)).toEqual(
      [30_000, 43_107, 59_999].map((node) => `node ${node}: the code does not match its vector`),
    )
  })

  it.each([
    ['sq8', 4, Number.POSITIVE_INFINITY],
    ['pq', 700, Number.NaN],
    ['binary', 14, Number.NEGATIVE_INFINITY],
  ] as const)('finds, in a codebook of %s, that number %d is %d', async (quantization, place, value) => {
    const change = (data: Uint8Array): void => void (new Float32Array(data.buffer)[place] = value)
    const indexDir = await publishChanged(`codebook ${quantization}`, 'codebook.seg', change, { quantization })
    const path = join(indexDir, 'gen-000001', 'codebook.seg')
    const offset = SEGMENT_HEADER_BYTES + 4 * place
    expect((await verifyIndex(indexDir)).problems).toEqual([{ path, offset, reason: `number ${place} is ${value}` }])
  })

  it('does not compare codes with damaged vectors', async () => {
    const { indexDir, directory } = await writeTinyIndex(folder.path('codes of damage'), { quantization: 'f16' })
    const path = join(directory, 'vectors-000.seg')
    const bytes = await readFile(path)
    bytes[SEGMENT_HEADER_BYTES + 3] ^= 4
    await writeFile(path, bytes)
    expect((await verifyIndex(indexDir)).problems).toMatchObject([{ path, offset: SEGMENT_HEADER_BYTES }])
  })

  it('finds an id of two nodes, unless ids may repeat', async () => {
    const { indexDir, directory, manifest } = await writeTinyGeneration(folder.path('repeated'))
    const ids = Array.from({ length: 50 }, (_, node) => tinyId(node === 40 ? 2 : node))
    const print = new Uint32Array(3)
    const nodes = Uint32Array.from(ids, (_, node) => node)
    const lane = (at: number): Uint32Array =>
      Uint32Array.from(ids, (id) => {
        idFingerprint(id, print, 0)
        return print[at]
      })
    const table = encodeIdTable({ high: lane(0), low: lane(1), nodes })
    const data = encodeIds(ids.slice(25))
    const segments = await Promise.all(
      manifest.segments.map(async (file) => {
        const path = join(directory, file.name)
        if (file.name === 'id-table.seg') return writeSegment(path, await readSegmentHeader(path, file), table)
        if (file.name !== 'ids-001.seg') return file
        return writeSegment(path, idsHeader({ firstNode: 25, count: 25, dimensions: 3, dataBytes: data.length }), data)
      }),
    )
    const problemsOf = async (facts: object): Promise<unknown> => {
      await publishGeneration(indexDir, manifest.generation, { ...manifest, ...facts, segments })
      return (await verifyIndex(indexDir)).problems
    }
    expect(await problemsOf({})).toMatchObject([{ reason: 'nodes 2 and 40 have the same id "doc-2é"' }])
    expect(await problemsOf({ distinctIds: 49 })).toEqual([])
    expect(await problemsOf({ distinctIds: 50 })).toMatchObject([{ reason: 'it has 49 ids, the manifest says 50' }])
  })
})
