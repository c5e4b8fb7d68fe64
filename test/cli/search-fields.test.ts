/** Filters, words, fields and counts of values on the command line. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onlyJson, shardloom } from './shardloom.js'

const RECORDS = [
  { id: 'a', vector: [1, 0], title: 'solar panels', price: 12, tags: ['roof', 'sun'] },
  { id: 'b', vector: [0, 1], title: 'wind and sun', price: 30, tags: ['sun'] },
  { id: 7, vector: [0.9, 0.5], price: 99 },
]
const QUERY = '{"vector":[1,0]}'

let folder: string
let index: string
let plain: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardloom-cli-fields-'))
  const file = path.join(folder, 'shop.jsonl')
  index = path.join(folder, 'shop.index')
  plain = path.join(folder, 'plain.index')
  await writeFile(file, RECORDS.map((record) => `${JSON.stringify(record)}\n`).join(''))
  const fields = ['--fields', 'title:text,price,tags:keyword[]']
  for (const args of [[index, ...fields], [plain]]) {
    const { exitCode, stderr } = await shardloom(['build', file, '--quiet', '--out', ...args])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function failure(args: readonly string[]): Promise<{ exitCode: number | null; message: string }> {
  const { exitCode, stdout } = await shardloom([...args, '--json'], { stdin: QUERY })
  return { exitCode, message: (onlyJson(stdout)['error'] as { message: string }).message }
}

describe('search', () => {
  it('takes a filter as JSON, words, and fields to give', async () => {
    const of = async (...args: readonly string[]): Promise<unknown> =>
      onlyJson((await shardloom(['search', index, '-', '--json', ...args], { stdin: QUERY })).stdout)['results']
    expect(await of('--filter', '{"price":{"$gt":20}}', '--select', 'price, tags')).toEqual([
      [
        { id: 7, distance: expect.closeTo(0.26) as number, fields: { price: 99 } },
        { id: 'b', distance: 2, fields: { price: 30, tags: ['sun'] } },
      ],
    ])
    const [[first]] = (await of('--text', 'wind')) as { id: unknown; score: number }[][]
    expect(first).toMatchObject({ id: 'b', score: 1 / 63 + 1 / 61 })
  })

  it('finds words alone without queries', async () => {
    const { stdout } = await shardloom(['search', index, '--text', 'sun', '--select', 'title'])
    expect(stdout).toMatch(/^b {2}\d\.\d{4} {2}title wind and sun\n$/)
    const found = await shardloom(['search', index, '--text', 'sola', '--json', '--filter', '{"price":12}'])
    expect(onlyJson(found.stdout)['results']).toMatchObject([[{ id: 'a' }]])
    expect((await shardloom(['search', index, '--text', 'x'])).stdout).toBe('nothing has these words\n')
  })

  it.each<[string, readonly string[], string]>([
    ['a filter that is not JSON', ['-', '--filter', '{price:1}'], '--filter must be JSON such as'],
    ['an unknown field', ['-', '--filter', '{"pric":1}'], 'did you mean "price"?'],
    ['an unknown field to give', ['-', '--select', 'titel'], 'did you mean "title"?'],
    ['no queries and no words', [], "required option '--queries <FILE>' not specified, nor --text"],
    ['a beam without queries', ['--text', 'sun', '--ef', '100'], '--ef is for searches with queries'],
  ])('refuses %s', async (_, args, message) => {
    expect(await failure(['search', index, ...args])).toEqual({
      exitCode: 2,
      message: expect.stringContaining(message) as string,
    })
  })

  it('says what an index without fields lacks', async () => {
    const { exitCode, message } = await failure(['search', plain, '-', '--filter', '{"price":1}'])
    expect(exitCode).toBe(2)
    expect(message).toContain('this index has no fields')
  })
})

describe('get', () => {
  it('prints vectors with their fields, as build reads them', async () => {
    const { stdout, exitCode } = await shardloom(['get', index, 'b', '7'])
    expect(exitCode).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { id: 'b', vector: [0, 1], fields: { title: 'wind and sun', price: 30, tags: ['sun'] } },
      { id: 7, vector: [Math.fround(0.9), 0.5], fields: { price: 99 } },
    ])
  })

  it('ends with 1 and says which ids the index has not', async () => {
    const { stdout, stderr, exitCode } = await shardloom(['get', plain, 'a', 'c'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('has not: c')
    expect(JSON.parse(stdout)).toEqual({ id: 'a', vector: [1, 0] })
    const json = await shardloom(['get', plain, 'c', '--json'])
    expect(onlyJson(json.stdout)).toEqual({ found: [], missing: ['c'] })
  })
})

describe('facets', () => {
  it('counts the values of a field, most first', async () => {
    expect((await shardloom(['facets', index, 'tags'])).stdout).toBe('sun   2\nroof  1\n')
    const { stdout } = await shardloom(['facets', index, 'tags', '--filter', '{"price":12}', '--limit', '1', '--json'])
    expect(onlyJson(stdout)).toEqual({ field: 'tags', counts: [{ value: 'roof', count: 1 }] })
  })

  it('refuses a field whose values are not counted', async () => {
    expect(await failure(['facets', index, 'title'])).toMatchObject({
      message: expect.stringContaining('of type text') as string,
    })
  })
})
