import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../fixtures/index-files.js'
import { randomGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { onlyJson, shardloom } from './shardloom.js'

const folder = temporaryFolder()
let made = 0

async function index(text = false): Promise<{ dir: string; out: string }> {
  const dir = folder.path(`${made}.index`)
  const graph = randomGraph({ seed: 1, metric: 'cosine', count: 20, dimensions: 4, m: 4, levels: 1, values: 'reals' })
  await writeIndex(dir, graph, text ? Array.from({ length: 20 }, (_, i) => `id-${i}`) : undefined)
  return { dir, out: folder.path(`${made++}.out`) }
}

describe('export', () => {
  it.each([
    ['hnswlib', `index = hnswlib.Index(space='cosine', dim=4); index.load_index(`],
    ['usearch', 'index = usearch.index.Index.restore('],
    ['fvecs', 'shardloom build'],
  ])('writes %s, and says what was written and how to go on', async (format, next) => {
    const { dir, out } = await index()
    const { exitCode, stdout } = await shardloom(['export', dir, '--format', format, '--out', out])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('20 x 4, cosine (gen-000001)')
    expect(stdout).toContain(`next: ${next}`)
    expect(existsSync(out)).toBe(true)
  })

  it('prints its report with --json', async () => {
    const { dir, out } = await index()
    const { stdout, stderr } = await shardloom(['export', dir, '--format', 'usearch', '--out', out, '--json'])
    expect(stderr).toBe('')
    const { seconds, ...report } = onlyJson(stdout)
    expect(seconds).toBeTypeOf('number')
    expect(report).toEqual({
      format: 'usearch',
      out,
      labels: 'ids',
      space: 'cos',
      count: 20,
      dimensions: 4,
      metric: 'cosine',
      m: 4,
      generation: 'gen-000001',
      bytes: readFileSync(out).length,
    })
  })

  it('says on stderr where the ids are when labels are nodes', async () => {
    const { dir, out } = await index(true)
    const { stderr } = await shardloom(['export', dir, '--format', 'hnswlib', '--out', out])
    expect(stderr).toBe(
      `not all ids are integers from 0 on, so labels are nodes; line n of ${out}.ids.jsonl, from 0, is the id of label n\n`,
    )
  })

  it('says nothing with --quiet', async () => {
    const { dir, out } = await index(true)
    const args = ['export', dir, '--format', 'hnswlib', '--out', out, '--quiet']
    expect(await shardloom(args)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })

  it('refuses to replace a file without --force', async () => {
    const { dir, out } = await index()
    const args = ['export', dir, '--format', 'fvecs', '--out', out]
    expect((await shardloom(args)).exitCode).toBe(0)
    const { exitCode, stderr } = await shardloom(args)
    expect({ exitCode, stderr: stderr.includes('exists; name another file') }).toEqual({ exitCode: 2, stderr: true })
    expect((await shardloom([...args, '--force'])).exitCode).toBe(0)
  })

  it('writes fvecs and ids that build reads back', async () => {
    const { dir, out } = await index(true)
    await shardloom(['export', dir, '--format', 'fvecs', '--out', out + '.fvecs'])
    const again = folder.path('again.index')
    const ids = `${out}.fvecs.ids.jsonl`
    const built = await shardloom(['build', `${out}.fvecs`, '--ids', ids, '--out', again, '--quiet'])
    expect(built).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const hits = await shardloom(['search', again, '--queries', `${out}.fvecs`, '-k', '1', '--json'])
    const found = (onlyJson(hits.stdout)['results'] as { id: string }[][]).map(([hit]) => hit.id)
    expect(found).toEqual(Array.from({ length: 20 }, (_, i) => `id-${i}`))
  })
})
