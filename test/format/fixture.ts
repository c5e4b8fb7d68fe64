/** A tiny index made by hand, and small things that the format's tests share. */
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { codeShape, type Storage } from '../../src/format/code-shape.js'
import { idFingerprint } from '../../src/format/fingerprint.js'
import { nextGeneration } from '../../src/format/generations.js'
import { encodeIdTable } from '../../src/format/id-table.js'
import { encodeIds } from '../../src/format/ids.js'
import type { Manifest } from '../../src/format/manifest.js'
import { publishGeneration } from '../../src/format/publish.js'
import { segmentFileName, type SegmentFile } from '../../src/format/segment-file.js'
import {
  codebookHeader,
  codesHeader,
  idsHeader,
  idTableHeader,
  linksHeader,
  upperHeader,
  vectorsHeader,
  type SegmentHeader,
} from '../../src/format/segment-header.js'
import { encodeUpper, type UpperLevel } from '../../src/format/upper.js'
import { writeSegment } from '../../src/format/write-segment.js'
import type { BuildReport, Id } from '../../src/types.js'
import { encodeTwin } from '../kernel/code-twins.js'

/** Repeatable bytes without pattern (xorshift32). */
export function pseudoRandomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed ^ 0x9e3779b9) | 1
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state >>> 11
  }
  return bytes
}

export interface TinyShape {
  readonly count: number
  readonly dimensions: number
  readonly m: number
  /** binary: under metric cosine, any other under l2. */
  readonly storage: Storage
}

export interface TinyIndex {
  readonly indexDir: string
  readonly directory: string
  readonly manifest: Manifest
}

const TINY: TinyShape = { count: 50, dimensions: 3, m: 2, storage: 'f32' }

export const tinyId = (node: number): Id => (node % 2 === 0 ? `doc-${node}é` : node - 7)

/** Level 0 of the tiny graph: node → the next ones round a ring, between 1 and 2m of them. */
function tinyLinks({ m }: TinyShape, firstNode: number, count: number, total: number): Uint8Array {
  const words = new Uint32Array(count * (2 * m + 1))
  for (let i = 0; i < count; i++) {
    const row = i * (2 * m + 1)
    words[row] = 1 + ((firstNode + i) % (2 * m))
    for (let j = 1; j <= words[row]; j++) words[row + j] = (firstNode + i + j) % total
  }
  return new Uint8Array(words.buffer)
}

/** Level 1 is every third node, level 2 every ninth; each links to its one or two followers. */
function tinyUpper({ count, m }: TinyShape): UpperLevel[] {
  const level = (step: number): UpperLevel => {
    const nodes = Uint32Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step)
    const links = new Uint32Array(nodes.length * (1 + m))
    for (let i = 0; i < nodes.length; i++) {
      const followers = Math.min(m, nodes.length - 1)
      links[i * (1 + m)] = followers
      for (let j = 1; j <= followers; j++) links[i * (1 + m) + j] = (i + j) % nodes.length
    }
    return { nodes, links, down: step === 3 ? nodes.slice() : nodes.map((_, i) => i * 3) }
  }
  return [level(3), level(9)]
}

function tinyReport({ count, dimensions, m, storage }: TinyShape, generation: string): BuildReport {
  return {
    count,
    skipped: 0,
    skippedInvalid: 0,
    skippedDuplicates: 0,
    dimensions,
    metric: 'l2',
    engine: 'hnswlib-wasm',
    quality: 'balanced',
    storage,
    m,
    seed: 1,
    threads: 2,
    memoryBytes: 1e9,
    shards: 1,
    splitShards: 0,
    seconds: 0.5,
    workers: { busySeconds: 2, tileSeconds: 1 },
    stages: [{ name: 'ingest', seconds: 0.1, peakRssBytes: 1e8 }],
    peakRssBytes: 1e8,
    memory: { pressure: { elevated: 0, high: 0, critical: 0, ingestPauses: 0 }, timeline: [] },
    spilledBytes: 0,
    diskBytes: 12345,
    reachable: count,
    repaired: 0,
    recallAt10: 1,
    averageDegree: 2.5,
    generation,
    path: 'tiny.index',
    events: [{ kind: 'note', stage: 'plan', message: 'made by hand', atSeconds: 0 }],
  }
}

/** As good as any: what codes say about vectors is no matter of the format. */
export function tinyCodebook({ storage, dimensions }: Pick<TinyShape, 'storage' | 'dimensions'>): Float32Array {
  const { codebookBytes } = storage === 'f32' ? { codebookBytes: 0 } : codeShape(storage, dimensions)
  return Float32Array.from({ length: codebookBytes / 4 }, (_, i) => {
    if (storage === 'sq8') return i < dimensions ? 0 : 1 / 127
    return storage === 'binary' && i < dimensions ? 0 : Math.cos(i)
  })
}

/** The files of one more generation, sealed but not published, and its manifest. Two segments of each numbered kind. */
export async function writeTinyGeneration(indexDir: string, given: Partial<TinyShape> = {}): Promise<TinyIndex> {
  const shape = { ...TINY, ...given }
  const { count, dimensions, m, storage } = shape
  const metric = storage === 'binary' ? 'cosine' : 'l2'
  const codebook = tinyCodebook(shape)
  const generation = await nextGeneration(indexDir)
  const directory = join(indexDir, generation)
  await mkdir(directory, { recursive: true })
  const write = (name: string, header: SegmentHeader, data: Uint8Array): Promise<SegmentFile> =>
    writeSegment(join(directory, name), header, data)
  const segments: SegmentFile[] = []
  const half = Math.ceil(count / 2)
  for (const [number, firstNode, nodes] of [
    [0, 0, half],
    [1, half, count - half],
  ]) {
    const range = { firstNode, count: nodes, dimensions }
    const vectors = Float32Array.from({ length: nodes * dimensions }, (_, i) => Math.sin(firstNode * dimensions + i))
    segments.push(
      await write(segmentFileName('vectors', number), vectorsHeader(range), new Uint8Array(vectors.buffer)),
      await write(
        segmentFileName('links', number),
        linksHeader({ ...range, m }),
        tinyLinks(shape, firstNode, nodes, count),
      ),
    )
    if (storage !== 'f32') {
      const { codes } = encodeTwin(storage, vectors, dimensions, codebook, metric)
      segments.push(await write(segmentFileName('codes', number), codesHeader({ ...range, storage }), codes))
    }
    const data = encodeIds(Array.from({ length: nodes }, (_, i) => tinyId(firstNode + i)))
    segments.push(await write(segmentFileName('ids', number), idsHeader({ ...range, dataBytes: data.length }), data))
  }
  if (storage !== 'f32' && codebook.length > 0) {
    const data = new Uint8Array(codebook.buffer)
    segments.push(await write('codebook.seg', codebookHeader({ dimensions, storage }), data))
  }
  segments.push(await write('id-table.seg', idTableHeader({ count, dimensions }), tinyIdTable(count)))
  const levels = tinyUpper(shape)
  const upper = encodeUpper(levels)
  const upperShape = { count: levels[0].nodes.length, dimensions, dataBytes: upper.length }
  segments.push(await write('upper.seg', upperHeader(upperShape), upper))
  const manifest: Manifest = {
    formatVersion: 1,
    generation,
    createdAt: '2026-01-31T12:00:00.000Z',
    metric,
    dimensions,
    storage,
    count,
    m,
    seed: 1,
    engine: 'hnswlib-wasm',
    entryPoint: { node: levels[1].nodes[1], level: 2, index: 1 },
    levels: levels.length,
    segments,
    report: tinyReport(shape, generation),
  }
  return { indexDir, directory, manifest }
}

function tinyIdTable(count: number): Uint8Array {
  const print = new Uint32Array(3)
  const nodes = Uint32Array.from({ length: count }, (_, node) => node)
  const lane = (at: number): Uint32Array =>
    nodes.map((node) => {
      idFingerprint(tinyId(node), print, 0)
      return print[at]
    })
  return encodeIdTable({ high: lane(0), low: lane(1), nodes })
}

/** A small, whole, published index: 50 nodes, 2 upper levels, made without any build code. */
export async function writeTinyIndex(indexDir: string, given: Partial<TinyShape> = {}): Promise<TinyIndex> {
  const tiny = await writeTinyGeneration(indexDir, given)
  await publishGeneration(indexDir, tiny.manifest.generation, tiny.manifest)
  return tiny
}

/** A fresh folder for each test file, gone afterwards. */
export function temporaryFolder(): { path: (...names: string[]) => string } {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'shardloom-format-'))
  })
  afterAll(() => rm(root, { recursive: true, force: true }))
  return { path: (...names) => join(root, ...names) }
}

/** Flips single bits of a file in place, one after the other; the file is whole again before the next. */
export async function withEachBitFlipped(
  path: string,
  bits: Iterable<number>,
  check: (bit: number) => Promise<void>,
): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    const sound = await handle.readFile()
    for (const bit of bits) {
      const byte = Math.floor(bit / 8)
      await handle.write(Uint8Array.of(sound[byte] ^ (1 << (bit % 8))), 0, 1, byte)
      await check(bit)
      await handle.write(sound, byte, 1, byte)
    }
  } finally {
    await handle.close()
  }
}

export function* allBits(bytes: number, from = 0): Generator<number> {
  for (let bit = 8 * from; bit < 8 * (from + bytes); bit++) yield bit
}

/** What a promise gave or threw: cheaper than `expect().rejects` for tens of thousands of checks. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return error
  }
}
