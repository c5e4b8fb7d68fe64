import { beforeAll, describe, expect, it } from 'vitest'
import { openIndex } from '../../src/live/open-index.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { codeDistances, encode, readIndex, searchIndex } from './format-reader.js'
import { CLI, projectFolder, run } from './run.js'

const SIFT = 'examples/data/sift10k_base.bvecs'
const NOUNS = 'examples/data/wordnet5k_nouns.npy'
const NOUN_IDS = 'examples/data/wordnet5k_nouns_ids.txt'

async function rowsOf(file: string, options: { ids?: string } = {}): Promise<{ id: string | number; row: number[] }[]> {
  const rows: { id: string | number; row: number[] }[] = []
  for await (const { ids, vectors, dimensions } of (await openVectorFile(file, options)).batches()) {
    const first = rows.length
    for (let i = 0; i * dimensions < vectors.length; i++) {
      rows.push({ id: ids?.[i] ?? first + i, row: [...vectors.subarray(i * dimensions, (i + 1) * dimensions)] })
    }
  }
  return rows
}

const CODED = (
  [
    ['f16', SIFT, 'l2'],
    ['sq8', SIFT, 'l2'],
    ['sq8', NOUNS, 'cosine'],
    ['sq8', NOUNS, 'ip'],
    ['pq', SIFT, 'l2'],
    ['pq', NOUNS, 'cosine'],
    ['pq', NOUNS, 'ip'],
    ['binary', NOUNS, 'cosine'],
  ] as const
).map(([quantization, file, metric]) => ({
  name: `${quantization}-${metric}.index`,
  file,
  flags: ['--quantization', quantization, '--metric', metric],
}))

describe('docs/format.md says enough to', () => {
  const project = projectFolder()

  beforeAll(async () => {
    const build = (...args: string[]): ReturnType<typeof run> =>
      run(process.execPath, [CLI, 'build', '--quiet', ...args], { cwd: project.path })
    expect(await build(SIFT, '--out', 'sift.index')).toMatchObject({ exitCode: 0 })
    const ids = ['--ids', NOUN_IDS, '--metric', 'cosine']
    expect(await build(NOUNS, ...ids, '--out', 'nouns.index')).toMatchObject({ exitCode: 0 })
    for (const { name, file, flags } of CODED) {
      expect(await build(file, ...flags, '--out', name)).toMatchObject({ exitCode: 0 })
    }
  })

  it.each([
    { name: 'sift.index', file: SIFT, options: {} },
    { name: 'nouns.index', file: NOUNS, options: { ids: NOUN_IDS } },
  ])('read $name: every vector under its own id', async ({ name, file, options }) => {
    const { manifest, vectors, links, ids, levels } = readIndex(project.file(name))
    const rows = await rowsOf(project.file(file), options.ids === undefined ? {} : { ids: project.file(options.ids) })
    expect(ids.length).toBe(rows.length)
    expect([vectors.length, links.length]).toEqual([manifest.count, manifest.count])
    expect(levels.length).toBe(manifest.levels)
    expect(levels[manifest.entryPoint.level - 1].nodes[manifest.entryPoint.index]).toBe(manifest.entryPoint.node)
    const nodeOf = new Map(ids.map((id, node) => [id, node]))
    const wrong = rows.filter(({ id, row }) => {
      const vector = vectors[nodeOf.get(id) ?? -1]
      return vector === undefined || row.some((x, d) => Math.abs(x - vector[d]) > 1e-6)
    })
    expect(wrong).toEqual([])
  })

  it.each(CODED)('make the codes of $name, byte by byte', ({ name }) => {
    const index = readIndex(project.file(name))
    expect(index.codes.length).toBe(index.vectors.length)
    const wrong = index.codes.filter(
      (code, node) => node % 5 === 0 && Buffer.compare(code, encode(index, index.vectors[node])) !== 0,
    )
    expect(wrong).toEqual([])
  })

  it.each(CODED)(
    'find neighbours by the codes of $name: 50 candidates include nearly all of the nearest 10',
    ({ name }) => {
      const index = readIndex(project.file(name))
      const nearest = (distance: (node: number) => number, most: number): number[] =>
        Array.from(index.vectors, (_, node) => ({ node, distance: distance(node) }))
          .sort((a, b) => a.distance - b.distance)
          .slice(0, most)
          .map(({ node }) => node)
      let found = 0
      const asked = [7, 2007, 4007]
      for (const node of asked) {
        const query = index.vectors[node].map((x, d) => x + (index.vectors[node + 1][d] - x) / 3)
        const length = index.manifest.metric === 'cosine' ? Math.hypot(...query) : 1
        const p = query.map((x) => x / length)
        const exact = (row: Float32Array): number =>
          index.manifest.metric === 'l2'
            ? row.reduce((sum, x, d) => sum + (x - p[d]) ** 2, 0)
            : -row.reduce((sum, x, d) => sum + x * p[d], 0)
        const distance = codeDistances(index, p)
        const candidates = new Set(nearest((other) => distance(index.codes[other]), 50))
        found += nearest((other) => exact(index.vectors[other]), 10).filter((other) => candidates.has(other)).length
      }
      expect(found / (10 * asked.length)).toBeGreaterThan(0.9)
    },
  )

  it.each(['sift.index', 'nouns.index'])('search %s as Shardloom does', async (name) => {
    const read = readIndex(project.file(name))
    const index = await openIndex(project.file(name))
    for (let node = 0; node < index.count; node += Math.floor(index.count / 20)) {
      // Near a node, not at it, because that would be found at once. Whole numbers make sums exact.
      const query = Array.from(read.vectors[node], (x, d) => (index.metric === 'l2' ? x + (d % 5) : x + (d % 5) / 100))
      const expected = index.search(query, { k: 10, ef: 40 }).map(({ id }) => id)
      expect(searchIndex(read, query, 10, 40)).toEqual(expected)
    }
    await index.close()
  })
})
