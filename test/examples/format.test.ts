import { beforeAll, describe, expect, it } from 'vitest'
import { openIndex } from '../../src/search/open-index.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { readIndex, searchIndex } from './format-reader.js'
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

describe('docs/format.md says enough to', () => {
  const project = projectFolder()

  beforeAll(async () => {
    const build = (...args: string[]): ReturnType<typeof run> =>
      run(process.execPath, [CLI, 'build', '--quiet', ...args], { cwd: project.path })
    expect(await build(SIFT, '--out', 'sift.index')).toMatchObject({ exitCode: 0 })
    const ids = ['--ids', NOUN_IDS, '--metric', 'cosine']
    expect(await build(NOUNS, ...ids, '--out', 'nouns.index')).toMatchObject({ exitCode: 0 })
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

  it.each(['sift.index', 'nouns.index'])('search %s as Shardloom does', async (name) => {
    const read = readIndex(project.file(name))
    const index = await openIndex(project.file(name))
    for (let node = 0; node < index.count; node += Math.floor(index.count / 20)) {
      // Near a node and not at it, or everything would be found at once; whole numbers, so that sums are exact.
      const query = Array.from(read.vectors[node], (x, d) => (index.metric === 'l2' ? x + (d % 5) : x + (d % 5) / 100))
      const expected = index.search(query, { k: 10, ef: 40 }).map(({ id }) => id)
      expect(searchIndex(read, query, 10, 40)).toEqual(expected)
    }
    await index.close()
  })
})
