import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../fixtures/index-files.js'
import { nearestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'
import { onlyJson, shardloom } from './shardloom.js'

const folder = temporaryFolder()
let file: string
let made = 0
const flags = (): string[] => ['--dimensions', '4', '--metric', 'l2', '--out', folder.path(`${made++}.index`)]

beforeAll(async () => {
  const index = folder.path('given.index')
  file = folder.path('given.bin')
  await writeIndex(index, nearestGraph({ seed: 1, metric: 'l2', count: 50, dimensions: 4, m: 4, values: 'reals' }), [
    ...Array.from({ length: 50 }, (_, i) => `id-${i}`),
  ])
  await shardloom(['export', index, '--format', 'hnswlib', '--out', file])
})

describe('import', () => {
  it('says what it did, and what to type next', async () => {
    const args = flags()
    const { exitCode, stdout, stderr } = await shardloom(['import', file, ...args])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^quality +imported$/m)
    expect(stdout).toContain(`next: shardloom search ${args[5]} --queries FILE`)
    expect(stderr).toContain('stage import')
  })

  it('prints the report with --json, and nothing else with --quiet', async () => {
    const { exitCode, stdout, stderr } = await shardloom(['import', file, ...flags(), '--json', '--quiet'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(onlyJson(stdout)).toMatchObject({ count: 50, engine: 'hnswlib-import', quality: 'imported', repaired: 0 })
  })

  it('takes the ids that an export wrote beside', async () => {
    const args = flags()
    await shardloom(['import', file, ...args, '--ids', `${file}.ids.jsonl`, '--quiet'])
    const { stdout } = await shardloom(['search', args[5], '--queries', '-', '-k', '1', '--json'], {
      stdin: '{"vector":[0,0,0,0]}\n',
    })
    const [[hit]] = onlyJson(stdout)['results'] as { id: string }[][]
    expect(hit.id).toMatch(/^id-\d+$/)
  })

  it.each([
    ['without a metric', (args: string[]) => args.toSpliced(2, 2), '--metric <M>'],
    ['with other dimensions', (args: string[]) => args.with(1, '5'), 'has 4 dimensions, expected 5'],
  ])('ends with exit code 2 %s', async (_, change, message) => {
    const args = flags()
    const { exitCode, stderr } = await shardloom(['import', file, ...change(args)])
    expect({ exitCode, said: stderr.includes(message) }).toEqual({ exitCode: 2, said: true })
    expect(existsSync(args[5])).toBe(false)
  })
})
