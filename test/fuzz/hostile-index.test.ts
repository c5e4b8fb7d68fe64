/** Indexes with correct checksums and wrong content, written by a bug or an attacker. */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CorruptIndexError, ShardloomError } from '../../src/errors.js'
import { crc32 } from '../../spill/files/crc32.js'
import { encodeCurrent } from '../../src/format/generation/current.js'
import { nextGeneration } from '../../src/format/generation/generations.js'
import type { Manifest } from '../../src/format/generation/manifest.js'
import { readSegmentData } from '../../src/format/segment/segment-reader.js'
import { readSegmentHeader } from '../../src/format/segment/read-segment-header.js'
import type { Quantization } from '../../src/api/report.js'
import type { SegmentFile } from '../../src/format/segment/segment-file.js'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import { encodeSegmentFooter } from '../../src/format/segment/segment-checksums.js'
import {
  encodeSegmentHeader,
  SEGMENT_BLOCK_BYTES,
  type SegmentHeader,
} from '../../src/format/segment/segment-header.js'
import type { MemoryLimits } from '../../src/search/core/plan-memory.js'
import { makeView } from '../../src/search/view/open-view.js'
import { openGeneration } from '../../src/search/open-generation.js'
import { openIndex } from '../../src/live/open-index.js'
import { VectorIndex } from '../../src/search/vector-index.js'
import { writeTinyIndex } from '../fixtures/index-files.js'
import { randomGraph, type TestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { runs } from '../whole.js'
import { QUANTIZATIONS } from '../../src/api/report.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-hostile-'))
  await writeIndex(join(root, 'sound'), graph)
  for (const quantization of QUANTIZATIONS)
    await writeTinyIndex(join(root, quantization), { quantization, count: graph.count, dimensions: graph.dimensions })
})
afterAll(() => rm(root, { recursive: true, force: true }))

const graph: TestGraph = randomGraph({
  seed: 5,
  metric: 'l2',
  count: 60,
  dimensions: 5,
  m: 4,
  levels: 2,
  values: 'reals',
})
const LINK_WORDS = 1 + 2 * graph.m
/** The graph's links are in two segments. */
const HALF = graph.count / 2
const ABOVE: readonly number[] = [60, 61, 1000, 2 ** 16, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]

/** Uses an index like a program: a search that reaches damage finds it, or `preload` finds it before. */
async function used(path: string): Promise<void> {
  const preloading: unknown = await openIndex(path, { preload: true }).then(
    (index) => index.close(),
    (error: unknown) => error,
  )
  try {
    const index = await openIndex(path)
    try {
      index.search(new Float32Array(graph.dimensions).fill(1), { k: graph.count, ef: 2 * graph.count })
    } finally {
      await index.close()
    }
  } catch (error) {
    expect(preloading).toMatchObject({ message: (error as Error).message })
    throw error
  }
  expect(preloading).toBeUndefined()
}

interface Forged {
  readonly path: string
  readonly directory: string
}

let made = 0

/** A sound index, with the data of one segment replaced under correct checksums. */
async function withSegment(
  name: string,
  change: (words: Uint32Array) => Uint32Array | undefined,
  quantization?: Quantization,
): Promise<Forged> {
  const { path, directory } = await sound(quantization)
  const manifest = await manifestOf({ path, directory })
  const file = manifest.segments.find((one) => one.name === name)
  if (file === undefined) throw new Error(`no ${name}`)
  const header = await readSegmentHeader(join(directory, name), file)
  const data = new Uint8Array(header.dataBytes)
  await readSegmentData(join(directory, name), file, (offset, length) => data.subarray(offset, offset + length))
  const words = new Uint32Array(data.slice(0, data.length - (data.length % 4)).buffer)
  const changed = change(words) ?? words
  const bytes = changed === words ? data : new Uint8Array(4 * changed.length)
  bytes.set(new Uint8Array(changed.buffer))
  const entry = await forge(join(directory, name), { ...header, dataBytes: bytes.length }, bytes)
  await writeManifest({ path, directory }, { ...manifest, segments: replaced(manifest.segments, entry) })
  return { path, directory }
}

/** Writes the bytes of `writeSegment` without waiting for the device. */
async function forge(path: string, header: SegmentHeader, data: Uint8Array): Promise<SegmentFile> {
  const blocks = Math.ceil(data.length / SEGMENT_BLOCK_BYTES)
  const crcs = Uint32Array.from({ length: blocks }, (_, block) =>
    crc32(data.subarray(block * SEGMENT_BLOCK_BYTES, (block + 1) * SEGMENT_BLOCK_BYTES)),
  )
  const whole = Buffer.concat([encodeSegmentHeader(header), data, encodeSegmentFooter(crcs)])
  await writeFile(path, whole)
  const { kind, firstNode, count } = header
  return { name: basename(path), kind, firstNode, count, bytes: whole.length, crc32: crc32(whole) }
}

const replaced = (segments: readonly SegmentFile[], entry: SegmentFile): SegmentFile[] =>
  segments.map((one) => (one.name === entry.name ? entry : one))

/** Writes it like a build, but without the build's checks. */
async function writeManifest({ path, directory }: Forged, manifest: unknown): Promise<void> {
  await writeManifestText({ path, directory }, JSON.stringify(manifest))
}

async function writeManifestText({ path, directory }: Forged, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  await writeFile(join(directory, 'manifest.json'), bytes)
  const line = encodeCurrent({ generation: 'gen-000001', manifestCrc32: crc32(bytes) })
  await writeFile(join(path, 'CURRENT'), line)
}

async function manifestOf(forged: Forged): Promise<Manifest> {
  return JSON.parse(await readFile(join(forged.directory, 'manifest.json'), 'utf8')) as Manifest
}

async function sound(quantization?: Quantization): Promise<Forged> {
  const path = join(root, `forged-${made++}.index`)
  await cp(join(root, quantization ?? 'sound'), path, { recursive: true })
  return { path, directory: join(path, 'gen-000001') }
}

/** As if the memory that walks had no room for vectors and quantized vectors: they are in other memories. */
const FAR: MemoryLimits = { nearLimitBytes: 0, farLimitBytes: 2 ** 20 }

/**
 * Opens and searches it, in one memory and in several, with the same outcome: hits of this index, or a ShardloomError.
 * Verifying must return true or false.
 */
async function tryOut({ path }: Forged): Promise<'refused' | 'searched'> {
  const verified = await verifyIndex(path)
  expect(typeof verified.ok).toBe('boolean')
  try {
    const outcome = await searchedWith(path)
    expect(await searchedWith(path, FAR)).toBe(outcome)
    return outcome
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function searchedWith(path: string, limits?: MemoryLimits): Promise<'refused' | 'searched'> {
  try {
    const index = new VectorIndex(makeView(path, await openGeneration(path, {}, limits), undefined), () =>
      Promise.resolve(false),
    )
    for (let i = 0; i < 10; i++) {
      const query = Array.from({ length: graph.dimensions }, (_, at) => Math.sin(i * 7 + at))
      // Many searches and a wide beam: tags are cleared once in 255, and the beam is the last thing in memory.
      const hits = index.search(query, { k: 1 + 20 * i, ef: 1 + 30 * i })
      expect(hits.length).toBeLessThanOrEqual(graph.count)
      for (const { id } of hits) expect(typeof id === 'number' || typeof id === 'string').toBe(true)
    }
    await index.close()
    return 'searched'
  } catch (error) {
    if (error instanceof ShardloomError) return 'refused'
    throw error
  }
}

describe('links under correct checksums', () => {
  it.each(['links-000.seg', 'links-001.seg'])('of %s that lead to no node are refused with the node', async (name) => {
    for (const target of ABOVE) {
      for (const row of [0, 7, HALF - 1]) {
        const forged = await withSegment(name, (words) => {
          words[row * LINK_WORDS] = Math.max(1, words[row * LINK_WORDS])
          words[row * LINK_WORDS + 1] = target
          return undefined
        })
        const node = row + (name === 'links-000.seg' ? 0 : HALF)
        await expect(used(forged.path)).rejects.toThrow(`node ${node}: link 0 leads to ${target}, of 60`)
        expect(await tryOut(forged)).toBe('refused')
      }
    }
  })

  it('with a count above 2m are refused', async () => {
    for (const count of [LINK_WORDS, 60, 2 ** 16, 2 ** 30, 2 ** 31, 2 ** 32 - 1]) {
      const forged = await withSegment('links-001.seg', (words) => void (words[3 * LINK_WORDS] = count))
      await expect(used(forged.path)).rejects.toThrow(`node ${HALF + 3}: ${count} links, at most 8 fit`)
      expect(await tryOut(forged)).toBe('refused')
    }
  })

  it('that repeat, lead back or form a ring still give an answer', async () => {
    const forged = await withSegment('links-000.seg', (words) => {
      for (let row = 0; row < HALF; row++) {
        words[row * LINK_WORDS] = 2 * graph.m
        words.fill(row % 2 === 0 ? row : row - 1, row * LINK_WORDS + 1, (row + 1) * LINK_WORDS)
      }
      return undefined
    })
    expect((await verifyIndex(forged.path)).ok).toBe(false)
    expect(await tryOut(forged)).toBe('searched')
  })
})

describe('any word of a segment, set to anything under correct checksums,', () => {
  const name = fc.constantFrom('links-000.seg', 'upper.seg', 'ids-000.seg', 'id-table.seg', 'vectors-001.seg')
  const word = fc.oneof(
    fc.integer({ min: 0, max: 80 }),
    fc.constantFrom(...ABOVE, 0x7fc00000, 0xff800000, 0x7f7fffff),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  )
  it('is refused, or searched within bounds', async () => {
    const edits = fc.array(fc.tuple(fc.nat(), word), { minLength: 1, maxLength: 6 })
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(name, edits, async (segment, changes) => {
        const forged = await withSegment(segment, (words) => {
          for (const [at, value] of changes) words[at % words.length] = value
          return undefined
        })
        seen.add(await tryOut(forged))
      }),
      { numRuns: runs(120), seed: 11 },
    )
    expect([...seen].sort()).toEqual(['refused', 'searched'])
  })

  it.each(['f16', 'sq8', 'pq', 'binary'] as const)(
    'of codes or codebook of %s, is searched within bounds',
    async (quantization) => {
      const coded = fc.constantFrom(
        ...(quantization === 'f16' ? [] : ['codebook.seg']),
        'codes-000.seg',
        'codes-001.seg',
      )
      const edits = fc.array(fc.tuple(fc.nat(), word), { minLength: 1, maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(coded, edits, async (segment, changes) => {
          const forged = await withSegment(
            segment,
            (words) => {
              for (const [at, value] of changes) words[at % words.length] = value
              return undefined
            },
            quantization,
          )
          expect(await tryOut(forged)).toBe('searched')
        }),
        { numRuns: runs(40), seed: 14 },
      )
    },
  )

  it('is refused, or searched within bounds, also when the segment has another length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('upper.seg', 'ids-000.seg'),
        fc.array(word, { maxLength: 40 }),
        async (segment, words) => {
          expect(await tryOut(await withSegment(segment, () => Uint32Array.from(words)))).toBe('refused')
        },
      ),
      { numRuns: runs(50), seed: 12 },
    )
  })
})

describe('upper levels under correct checksums', () => {
  it('with another number than the manifest are refused', async () => {
    for (const words of [[0], [1, 1, 3, 3, 0, 0, 0, 0, 0]]) {
      const forged = await withSegment('upper.seg', () => Uint32Array.from(words))
      await expect(used(forged.path)).rejects.toThrow(/levels, the manifest says 2/)
    }
  })

  it('as many as a file has words are refused before a list is made', async () => {
    const forged = await withSegment('upper.seg', () => {
      const words = new Uint32Array(100_000)
      words[0] = words.length - 1
      return words
    })
    await expect(used(forged.path)).rejects.toThrow('99999 levels, expected at most 32')
  })
})

describe('a manifest under a correct checksum', () => {
  it('with an entry point beyond the top level, or of another node, is refused', async () => {
    const top = graph.upperLevels[1].nodes.length
    for (const change of [{ index: top }, { index: 59 }, { node: graph.entryPoint.node === 0 ? 1 : 0 }]) {
      const forged = await sound()
      const manifest = await manifestOf(forged)
      await writeManifest(forged, { ...manifest, entryPoint: { ...manifest.entryPoint, ...change } })
      await expect(used(forged.path)).rejects.toThrow('of the top level is another')
      expect((await verifyIndex(forged.path)).ok).toBe(false)
    }
  })

  it('with fewer nodes, dimensions or links than the files is refused', async () => {
    for (const change of [{ count: 59 }, { dimensions: 4 }, { m: 3 }, { m: 5 }, { levels: 1 }, { levels: 0 }]) {
      const forged = await sound()
      await writeManifest(forged, { ...(await manifestOf(forged)), ...change })
      await expect(used(forged.path), JSON.stringify(change)).rejects.toThrow(CorruptIndexError)
    }
  })

  it('cannot name a file outside its folder', async () => {
    const names = [
      '../vectors-000.seg',
      '/etc/passwd',
      'vectors-000.seg/../../x.seg',
      './vectors-000.seg',
      'vectors-000.seg\0',
      'vectors-000.seg\n',
      '\0',
      '..\\vectors-000.seg',
      'C:vectors-000.seg',
      'vectors-٠٠٠.seg',
      'vectors-000.SEG',
      '',
      '.',
      'VECTORS-000.seg',
      'vectors-000.seg/',
      '%2e%2e/vectors-000.seg',
    ]
    for (const name of names) {
      const forged = await sound()
      const manifest = await manifestOf(forged)
      const segments = manifest.segments.map((one, at) => (at === 0 ? { ...one, name } : one))
      await writeManifest(forged, { ...manifest, segments })
      await expect(openIndex(forged.path), JSON.stringify(name)).rejects.toThrow('must be the name of a segment file')
    }
  })

  it('cannot belong to another folder, and CURRENT cannot name one outside', async () => {
    const forged = await sound()
    const line = await readFile(join(forged.path, 'CURRENT'), 'utf8')
    for (const generation of [
      '../gen-000001',
      'gen-000001/../gen-000001',
      'gen-1',
      'gen-000001\0',
      `gen-${'9'.repeat(16)}`,
    ]) {
      await writeFile(join(forged.path, 'CURRENT'), line.replace('gen-000001', generation))
      await expect(openIndex(forged.path), generation).rejects.toThrow('is not a line like')
    }
    await writeFile(join(forged.path, 'CURRENT'), line.replace('gen-000001', 'gen-000002'))
    await rename(forged.directory, join(forged.path, 'gen-000002'))
    await expect(openIndex(forged.path)).rejects.toThrow('field generation is gen-000001, the folder is gen-000002')
  })

  it('with deeply nested JSON anywhere is refused by every user of it', async () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    const forged = await sound()
    const text = JSON.stringify(await manifestOf(forged))
    for (const levels of [17, 200_000]) {
      for (const hostile of [
        deep(levels),
        `{"formatVersion":${deep(levels)}}`,
        text.replace('"report":{', `"report":{"extra":${deep(levels)},`),
        text.replace('"seed":1', `"seed":${deep(levels)}`),
      ]) {
        await writeManifestText(forged, hostile)
        await expect(openIndex(forged.path)).rejects.toThrow('nested deeper than 16')
      }
    }
  })

  it('above 8 MiB, or CURRENT above a line, is refused unread', async () => {
    const forged = await sound()
    await writeManifestText(forged, JSON.stringify(await manifestOf(forged)) + ' '.repeat(8 * 2 ** 20))
    await expect(openIndex(forged.path)).rejects.toThrow(
      /manifest\.json: the file has \d+ bytes, expected at most 8388608/,
    )
    // Sparse: it claims 3 GB and takes none.
    execFileSync('truncate', ['-s', '3G', join(forged.directory, 'manifest.json'), join(forged.path, 'CURRENT')])
    await expect(openIndex(forged.path)).rejects.toThrow('CURRENT: the file has 3221225472 bytes, expected at most 80')
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(2 ** 28)
  })

  it('with any value replaced is refused, or is a manifest', async () => {
    const whole = JSON.stringify(await manifestOf(await sound()))
    const value = fc.oneof(
      fc.constantFrom('-1', '2147483648', '4294967295', '1e308', '1e999', '-0', '0.5', 'null', '"\\u0000"', '{}', '[]'),
      fc.jsonValue({ maxDepth: 3 }).map((one) => JSON.stringify(one)),
    )
    const places = [...whole.matchAll(/(?<=":)(?:-?[\d.]+|"[^"]*"|\[\])/g)]
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: places.length - 1 }), value, async (place, text) => {
        const forged = await sound()
        const { index, 0: old } = places[place]
        await writeManifestText(forged, whole.slice(0, index) + text + whole.slice(index + old.length))
        await tryOut(forged)
      }),
      { numRuns: runs(100), seed: 13 },
    )
  })
})

describe('an entry that is not a file', () => {
  it.runIf(process.platform !== 'win32')('is refused as CURRENT, manifest or segment without waiting', async () => {
    for (const name of ['CURRENT', 'gen-000001/manifest.json', 'gen-000001/upper.seg']) {
      const forged = await sound()
      const path = join(forged.path, name)
      await rm(path)
      execFileSync('mkfifo', [path])
      await expect(openIndex(forged.path)).rejects.toThrow('this is not a file')
      await rm(path)
      await symlink('/dev/zero', path)
      await expect(openIndex(forged.path)).rejects.toThrow('this is not a file')
      await rm(path)
      await mkdir(path)
      await expect(openIndex(forged.path)).rejects.toThrow(CorruptIndexError)
    }
  })

  it.runIf(process.platform !== 'win32')(
    'a generation behind a symbolic link is read, and never written to',
    async () => {
      const forged = await sound()
      const elsewhere = join(root, `elsewhere-${made++}`)
      await rename(forged.directory, elsewhere)
      await symlink(elsewhere, forged.directory)
      await (await openIndex(forged.path)).close()
      expect(await nextGeneration(forged.path)).toBe('gen-000002')
      await writeIndex(forged.path, graph)
      await writeIndex(forged.path, graph)
      expect(await readFile(join(elsewhere, 'manifest.json'), 'utf8')).toContain('gen-000001')
    },
  )
})
