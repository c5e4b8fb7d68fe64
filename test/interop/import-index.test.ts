import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  exportIndex,
  importIndex,
  openIndex,
  readManifest,
  ShardloomError,
  verifyIndex,
  type BuildReport,
  type Id,
  type ImportOptions,
} from '../../dist/src/index.js'
import { wishes } from '../fixtures/graph-facts.js'
import { readHnswlib } from '../fixtures/read-exported.js'
import { outcome, temporaryFolder } from '../fixtures/index-files.js'
import { nearestGraph, randomGraph, type TestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { HnswlibBytes, hnswlibBytes, saved, withRing } from '../fixtures/hnswlib-bytes.js'
import { runs } from '../whole.js'

const folder = temporaryFolder()
const indexDir = (): string => folder.path('imported.index')
const L2 = { metric: 'l2', dimensions: 3 } as const

/** Imports into a fresh directory, runs `check` on it, and removes it. */
async function imported(
  file: string | HnswlibBytes,
  options: Partial<ImportOptions> & Pick<ImportOptions, 'metric' | 'dimensions'>,
  check: (report: BuildReport) => void | Promise<void>,
): Promise<void> {
  const path = typeof file === 'string' ? file : await saved(folder.path('given.bin'), file)
  try {
    await check(await importIndex(path, { path: indexDir(), threads: 1, ...options }))
  } finally {
    await rm(indexDir(), { recursive: true, force: true })
  }
}

async function failure(
  file: string | HnswlibBytes | Uint8Array,
  options: Partial<ImportOptions> & Pick<ImportOptions, 'metric' | 'dimensions'> = L2,
): Promise<{ code: string; message: string }> {
  const path = typeof file === 'string' ? file : await saved(folder.path('given.bin'), file)
  const error = await outcome(importIndex(path, { path: indexDir(), threads: 1, ...options }))
  const left = existsSync(indexDir())
  await rm(indexDir(), { recursive: true, force: true })
  expect(error).toBeInstanceOf(ShardloomError)
  expect(left).toBe(false)
  return error as ShardloomError
}

/** Unit rows, as an index has them under cosine. */
function unitRows(graph: TestGraph): TestGraph {
  const { dimensions, metric } = graph
  if (metric !== 'cosine') return graph
  const vectors = graph.vectors.slice()
  for (let at = 0; at < vectors.length; at += dimensions) {
    const row = vectors.subarray(at, at + dimensions)
    const norm = Math.hypot(...row)
    row.forEach((value, i) => (row[i] = norm > 0 ? value / norm : Number(i === 0)))
  }
  return { ...graph, vectors }
}

const smallGraph = (): TestGraph =>
  withRing(randomGraph({ seed: 7, metric: 'l2', count: 40, dimensions: 3, m: 4, levels: 2, values: 'reals' }))
let small: Buffer
beforeAll(async () => {
  await mkdir(folder.path('made'))
  small = (await hnswlibBytes(folder.path('made'), smallGraph())).bytes
})
const sound = (): HnswlibBytes => new HnswlibBytes(Buffer.from(small))

describe('an imported file', () => {
  it('gives the same file when it is exported again', async () => {
    await fc.assert(
      fc.asyncProperty(wishes, async (wish) => {
        const graph = withRing(unitRows(randomGraph(wish)))
        const ids = Array.from({ length: graph.count }, (_, node) => 3 * node + 1)
        const given = await hnswlibBytes(folder.path('made'), graph, ids)
        await imported(given, { metric: wish.metric, dimensions: wish.dimensions }, async (report) => {
          expect(report).toMatchObject({
            count: wish.count,
            repaired: 0,
            engine: 'hnswlib-import',
            quality: 'imported',
          })
          await exportIndex(indexDir(), { format: 'hnswlib', out: folder.path('again.bin'), overwrite: true })
          expect((await readFile(folder.path('again.bin'))).equals(given.bytes)).toBe(true)
        })
      }),
      { numRuns: runs(15) },
    )
  })

  it('answers like the index that it was exported from', async () => {
    const graph = nearestGraph({ seed: 8, metric: 'ip', count: 300, dimensions: 6, m: 8, values: 'reals' })
    const before = folder.path('before.index')
    await writeIndex(
      before,
      graph,
      Array.from({ length: 300 }, (_, node) => 1000 - node),
    )
    await exportIndex(before, { format: 'hnswlib', out: folder.path('before.bin') })
    const queries = Array.from({ length: 20 }, (_, i) => graph.vectors.slice(6 * i, 6 * i + 6).map((x) => x + 0.1))
    const hits = async (path: string): Promise<unknown> => {
      const index = await openIndex(path)
      try {
        return queries.map((query) => index.search(query, { k: 5, ef: 20 }))
      } finally {
        await index.close()
      }
    }
    await imported(folder.path('before.bin'), { metric: 'ip', dimensions: 6 }, async () => {
      expect(await hits(indexDir())).toEqual(await hits(before))
    })
  })

  it('becomes a sound index in segments, with its proof in the report', async () => {
    const graph = withRing(
      randomGraph({ seed: 9, metric: 'l2', count: 9000, dimensions: 128, m: 4, levels: 3, values: 'reals' }),
    )
    const given = await hnswlibBytes(folder.path('made'), graph)
    await imported(given, { metric: 'l2', dimensions: 128 }, async (report) => {
      expect(report).toMatchObject({ count: 9000, reachable: 9000, skipped: 0, m: 4 })
      expect(report.recallAt10).toBeGreaterThan(0)
      expect((await verifyIndex(indexDir())).problems).toEqual([])
      const { manifest } = await readManifest(indexDir())
      expect(manifest.engine).toBe('hnswlib-import')
      expect(manifest.segments.filter(({ kind }) => kind === 'links').length).toBeGreaterThan(1)
    })
  })

  it.each(['sq8', 'pq'] as const)('gets quantized vectors of quantization %s', async (quantization) => {
    await imported(sound(), { ...L2, quantization }, async (report) => {
      expect(report.quantization).toBe(quantization)
      expect(report.stages.map(({ name }) => name)).toContain('quantize')
      expect((await verifyIndex(indexDir())).problems).toEqual([])
      const { manifest } = await readManifest(indexDir())
      expect(manifest.segments.filter(({ kind }) => kind === 'codes').length).toBe(1)
    })
  })

  it('is published next to the previous generation', async () => {
    await imported(sound(), L2, async () => {
      const { generation } = await importIndex(folder.path('given.bin'), { ...L2, path: indexDir(), threads: 1 })
      expect(generation).toBe('gen-000002')
      expect(existsSync(`${indexDir()}/gen-000001`)).toBe(true)
    })
  })

  it('is repaired when an element is unreachable', async () => {
    const graph = {
      ...smallGraph(),
      neighbours: Array.from({ length: 40 }, (_, node) => (node < 30 ? [(node + 1) % 30] : [0])),
    }
    const given = await hnswlibBytes(folder.path('made'), graph)
    await imported(given, L2, async (report) => {
      expect(report.reachable).toBe(40)
      expect(report.repaired).toBeGreaterThan(0)
      expect((await verifyIndex(indexDir())).ok).toBe(true)
    })
  })

  it('is abandoned below minRecall, and the live generation stays', async () => {
    await imported(sound(), L2, async () => {
      const line = nearestGraph({ seed: 8, metric: 'l2', count: 200, dimensions: 3, m: 4, values: 'reals' })
      const ring = { ...line, neighbours: Array.from({ length: 200 }, (_, node) => [(node + 77) % 200]) }
      const path = await saved(folder.path('ring.bin'), await hnswlibBytes(folder.path('made'), ring))
      const error = await outcome(importIndex(path, { ...L2, path: indexDir(), threads: 1, minRecall: 1 }))
      expect((error as ShardloomError).code).toBe('SHARDLOOM_RECALL_TOO_LOW')
      expect((await readManifest(indexDir())).manifest.generation).toBe('gen-000001')
    })
  })
})

describe('links that lead to their own node, or repeat', () => {
  it('are left out on every level, and counted', async () => {
    const file = sound()
    file.record(3).set(new Uint8Array(new Uint32Array([4, 3, 5, 5, 6]).buffer))
    const element = onLevel1(file)
    file.bytes.writeUInt16LE(2, file.upperAt(element) + 4)
    for (const at of [8, 12]) file.bytes.writeUInt32LE(element, file.upperAt(element) + at)
    await imported(file, L2, async (report) => {
      expect(report.events.find(({ kind }) => kind === 'useless-links')?.message).toContain('2 links')
      expect((await verifyIndex(indexDir())).problems).toEqual([])
      await exportIndex(indexDir(), { format: 'hnswlib', out: folder.path('left.bin'), overwrite: true })
      const { links } = readHnswlib(folder.path('left.bin'))
      expect(links[3][0].slice(0, 2)).toEqual([5, 6])
      expect(links[element][1]).toEqual([])
    })
  })
})

describe('elements marked as deleted', () => {
  it('are left out with the links to them, and counted', async () => {
    const expected = readHnswlib(await saved(folder.path('sound.bin'), sound()))
    const gone = new Set([0, 7, 8, 39])
    await imported(sound().delete(...gone), L2, async (report) => {
      expect(report).toMatchObject({ count: 36, skipped: 4, skippedInvalid: 4, reachable: 36, repaired: 0 })
      expect(report.events.find(({ kind }) => kind === 'deleted-elements')?.message).toContain('4 of 40 elements')
      expect((await verifyIndex(indexDir())).problems).toEqual([])
      await exportIndex(indexDir(), { format: 'hnswlib', out: folder.path('left.bin'), overwrite: true })
      const found = readHnswlib(folder.path('left.bin'))
      const kept = [...expected.labels.keys()].filter((node) => !gone.has(node))
      expect(found.labels).toEqual(kept.map((node) => expected.labels[node]))
      const renumbered = kept.map((node) =>
        expected.links[node].map((row) => row.filter((to) => !gone.has(to)).map((to) => kept.indexOf(to))),
      )
      expect(found.links).toEqual(renumbered)
    })
  })

  it('leave the upper levels, and give up the entry point', async () => {
    const graph = readHnswlib(await saved(folder.path('sound.bin'), sound()))
    const top = [...graph.links.keys()].filter((node) => graph.links[node].length > 2)
    await imported(sound().delete(...top), L2, async (report) => {
      expect(report.count).toBe(40 - top.length)
      const { manifest } = await readManifest(indexDir())
      expect(manifest.levels).toBe(1)
      expect((await verifyIndex(indexDir())).ok).toBe(true)
    })
  })

  it('are an error when they are all elements', async () => {
    const all = sound().delete(...Array.from({ length: 40 }, (_, element) => element))
    expect((await failure(all)).code).toBe('SHARDLOOM_EMPTY_SOURCE')
  })
})

describe('labels', () => {
  it('become ids: integers, and above 2^53 - 1 their digits as text', async () => {
    const given = sound()
      .setLabel(1, 2n ** 53n - 1n)
      .setLabel(2, 2n ** 53n)
      .setLabel(3, 2n ** 64n - 1n)
    await imported(given, L2, async (report) => {
      const index = await openIndex(indexDir())
      const idOf = (node: number): Id =>
        index.search(smallGraph().vectors.slice(3 * node, 3 * node + 3), { k: 1, ef: 64 })[0].id
      expect([0, 1, 2, 3].map(idOf)).toEqual([0, 2 ** 53 - 1, '9007199254740992', '18446744073709551615'])
      await index.close()
      expect(report.events.map(({ kind }) => kind)).toEqual(['labels-as-text'])
    })
  })

  it('are refused when they repeat', async () => {
    const { code, message } = await failure(sound().setLabel(5, 4n))
    expect(code).toBe('SHARDLOOM_DUPLICATE_ID')
    expect(message).toContain('id 4 is given twice: vectors 4 and 5; the labels of the file must be unique')
    expect(message).toContain('--duplicates keep')
  })

  it('may repeat when all are to be kept, and are exported as nodes then', async () => {
    await imported(sound().setLabel(5, 4n), { ...L2, duplicates: 'keep' }, async (report) => {
      expect(report).toMatchObject({ count: 40, distinctIds: 39 })
      const index = await openIndex(indexDir())
      expect(index.getAll(4)).toHaveLength(2)
      await index.close()
      const out = folder.path('repeated.bin')
      expect(await exportIndex(indexDir(), { format: 'hnswlib', out })).toMatchObject({ labels: 'nodes' })
    })
  })

  it('are replaced by the ids of a file, in which deleted elements have lines too', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `id-${i}`)
    await writeFile(folder.path('ids.jsonl'), ids.map((id) => `${JSON.stringify(id)}\n`).join(''))
    await imported(sound().delete(2), { ...L2, ids: folder.path('ids.jsonl') }, async () => {
      const { idsFile = '' } = await exportIndex(indexDir(), {
        format: 'fvecs',
        out: folder.path('x.fvecs'),
        overwrite: true,
      })
      expect(await readFile(idsFile, 'utf8')).toBe(
        ids
          .filter((id) => id !== 'id-2')
          .map((id) => `${JSON.stringify(id)}\n`)
          .join(''),
      )
    })
  })

  it.each([
    ['fewer lines', 39, 'it has 39 ids, but the index has more elements'],
    ['more lines', 41, 'it has more ids than the index has elements (40)'],
  ])('refuse a file of ids with %s', async (_, lines, message) => {
    await writeFile(folder.path('ids.txt'), Array.from({ length: lines }, (_, i) => `id-${i}\n`).join(''))
    expect((await failure(sound(), { ...L2, ids: folder.path('ids.txt') })).message).toContain(message)
  })

  it('must be places when there is a file of ids', async () => {
    await writeFile(folder.path('ids.txt'), Array.from({ length: 40 }, (_, i) => `id-${i}\n`).join(''))
    const { message } = await failure(sound().setLabel(3, 9n), { ...L2, ids: folder.path('ids.txt') })
    expect(message).toContain('element 3 has the label 9; with a file of ids, labels must be 0, 1, 2')
  })
})

/** A change of the sound file's bytes, and the message about it. M = 4, so 8 links and 36 bytes before a vector. */
const DAMAGE: readonly (readonly [string, (file: HnswlibBytes) => Uint8Array | void, string])[] = [
  ['an empty file', () => Buffer.alloc(0), 'it has 0 bytes, but the header of an hnswlib index has 96'],
  ['half a header', ({ bytes }) => bytes.subarray(0, 50), 'it has 50 bytes'],
  [
    'offsetLevel0',
    ({ bytes }) => void bytes.writeUInt32LE(1, 0),
    'at byte 0: this is not an hnswlib index: offsetLevel0 is 1, expected 0',
  ],
  ['more elements than there is room for', ({ bytes }) => void bytes.writeUInt32LE(39, 8), 'max_elements is 39'],
  [
    'a count beyond the file',
    ({ bytes }) => (bytes.writeUInt32LE(1e9, 16), bytes.writeUInt32LE(2e9, 8), undefined),
    'it is truncated',
  ],
  ['a count of 2^63', ({ bytes }) => void bytes.writeUInt32LE(2 ** 31, 20), 'cur_element_count is 9223372036854775848'],
  ['record bytes', ({ bytes }) => void bytes.writeUInt32LE(57, 24), 'size_data_per_element is 57, expected 56'],
  [
    'a label offset that makes no floats',
    ({ bytes }) => void bytes.writeUInt32LE(47, 32),
    'its vectors have 11 bytes, which is not a multiple of 4 (float32)',
  ],
  ['other dimensions', ({ bytes }) => void bytes.writeUInt32LE(52, 32), 'has 4 dimensions, expected 3'],
  ['a label offset before the vector', ({ bytes }) => void bytes.writeUInt32LE(36, 32), 'label_offset is 36'],
  ['offsetData', ({ bytes }) => void bytes.writeUInt32LE(32, 40), 'offsetData is 32, expected 36'],
  ['a negative top level', ({ bytes }) => void bytes.writeInt32LE(-1, 48), 'maxlevel is -1'],
  ['a top level beyond all', ({ bytes }) => void bytes.writeInt32LE(33, 48), 'maxlevel is 33'],
  [
    'a top level that no element is on',
    ({ bytes }) => void bytes.writeInt32LE(3, 48),
    'is on level 2, but the top level is 3',
  ],
  ['an entry point out of range', ({ bytes }) => void bytes.writeUInt32LE(40, 52), 'enterpoint_node is 40'],
  ['maxM', ({ bytes }) => void bytes.writeUInt32LE(5, 56), 'maxM is 5, expected 4'],
  ['maxM0', ({ bytes }) => void bytes.writeUInt32LE(9, 64), 'maxM0 is 9, expected 8'],
  ['an M too small', ({ bytes }) => void bytes.writeUInt32LE(3, 72), 'its M is 3; an index holds 4 to 64'],
  ['an M too large', ({ bytes }) => void bytes.writeUInt32LE(65, 72), 'its M is 65; an index holds 4 to 64'],
  ['too many links', (file) => void file.record(3).writeUInt16LE(9, 0), 'element 3 has 9 links, at most 8 fit'],
  [
    'a link out of the graph',
    (file) => void file.record(3).writeUInt32LE(40, 4),
    'element 3 is linked to 40, of 40 elements',
  ],
  ['NaN', (file) => void file.record(3).writeFloatLE(NaN, 36), 'element 3 has a component that is NaN or infinite'],
  [
    'a vector too long',
    (file) => void file.record(3).writeFloatLE(1e20, 36),
    'element 3 has a squared norm of 1.0e+40',
  ],
  [
    'upper bytes that are no levels',
    (file) => void file.bytes.writeUInt32LE(19, file.upperAt(0)),
    'element 0 has 19 bytes of links above level 0',
  ],
  [
    'a level above the top',
    (file) => void file.bytes.writeUInt32LE(60, file.upperAt(0)),
    'element 0 has 60 bytes of links above level 0',
  ],
  ['an end that is missing', ({ bytes }) => bytes.subarray(0, -1), 'it ends inside the links of element'],
  ['an end too late', ({ bytes }) => Buffer.concat([bytes, Buffer.alloc(7)]), '7 bytes follow the last element'],
  [
    'too many upper links',
    (file) => void file.bytes.writeUInt16LE(5, file.upperAt(onLevel1(file)) + 4),
    'links on level 1, at most 4 fit',
  ],
  [
    'an upper link out of the graph',
    (file) => linkUp(file, 99),
    'is linked to 99 on level 1, but that element is not on this level',
  ],
  [
    'an upper link to an element below',
    (file) => linkUp(file, notOnLevel1(file)),
    'on level 1, but that element is not on this level',
  ],
]

function onLevel1(file: HnswlibBytes): number {
  return [...Array(file.count).keys()].findIndex((element) => file.bytes.readUInt32LE(file.upperAt(element)) > 0)
}

function notOnLevel1(file: HnswlibBytes): number {
  return [...Array(file.count).keys()].findIndex((element) => file.bytes.readUInt32LE(file.upperAt(element)) === 0)
}

function linkUp(file: HnswlibBytes, to: number): void {
  const at = file.upperAt(onLevel1(file)) + 4
  file.bytes.writeUInt16LE(1, at)
  file.bytes.writeUInt32LE(to, at + 4)
}

describe('a file that cannot be imported', () => {
  it.each(DAMAGE)('is refused for %s', async (_, damage, message) => {
    const file = sound()
    const { code, message: said } = await failure(damage(file) ?? file)
    expect(said).toContain(message)
    expect(['SHARDLOOM_INVALID_FILE', 'SHARDLOOM_INVALID_VECTOR', 'SHARDLOOM_DIMENSION_MISMATCH']).toContain(code)
  })

  it('is refused, and named, when its sizes have 4 bytes', async () => {
    const narrow = Buffer.alloc(56 + 1000)
    ;[0, 10, 10, 84, 80, 68, 0, 0, 8, 16, 8].forEach((word, i) => narrow.writeUInt32LE(word, 4 * i))
    const { code, message } = await failure(narrow)
    expect(code).toBe('SHARDLOOM_INVALID_FILE')
    expect(message).toContain('it has sizes of 4 bytes, as hnswlib writes them in WebAssembly (hnswlib-wasm)')
  })

  it('is refused under cosine when a vector has another length than 1', async () => {
    const { code, message } = await failure(sound(), { metric: 'cosine', dimensions: 3 })
    expect(code).toBe('SHARDLOOM_INVALID_FILE')
    expect(message).toContain('under cosine all have length 1; pass the metric that the file was built with')
  })

  it('is refused when it does not exist', async () => {
    expect((await failure(folder.path('none.bin'))).code).toBe('SHARDLOOM_PATH')
    expect((await failure(folder.path('made'))).code).toBe('SHARDLOOM_PATH')
  })

  it('is refused without a metric', async () => {
    const options = { dimensions: 3 } as unknown as ImportOptions
    expect((await failure(sound(), options)).message).toBe(
      'an import needs dimensions (--dimensions) and metric (--metric), because an hnswlib file has neither',
    )
  })

  it('gives a sound index or a typed error when any byte is changed', async () => {
    const structure = fc.oneof(
      fc.nat(95),
      fc.nat(small.length - 1),
      fc.integer({ min: 96 + 40 * 56, max: small.length - 1 }),
    )
    await fc.assert(
      fc.asyncProperty(structure, fc.nat(254), async (at, change) => {
        const file = sound()
        file.bytes[at] ^= change + 1
        const path = await saved(folder.path('given.bin'), file)
        const result = await outcome(importIndex(path, { ...L2, path: indexDir(), threads: 1, memory: '400MB' }))
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(ShardloomError)
          expect(existsSync(indexDir())).toBe(false)
        } else {
          expect((await verifyIndex(indexDir())).problems).toEqual([])
          await rm(indexDir(), { recursive: true, force: true })
        }
      }),
      { numRuns: runs(80) },
    )
  })

  it('stops when its signal fires', async () => {
    const options = { ...L2, signal: AbortSignal.abort('enough') }
    expect((await failure(sound(), options)).code).toBe('SHARDLOOM_ABORTED')
  })
})
