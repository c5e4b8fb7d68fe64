import { describe, expect, it } from 'vitest'
import { buildIndex, openVectorFile as openBuilt } from '../../dist/src/index.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import {
  float32,
  invalidFile,
  openaiBatch,
  readAll,
  readUntilError,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()

const answered = (id: string, ...embeddings: unknown[]): string =>
  JSON.stringify({
    id: `batch_req_${id}`,
    custom_id: id,
    response: {
      status_code: 200,
      request_id: 'r',
      body: { object: 'list', data: embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding })) },
    },
    error: null,
  }) + '\n'
const rateLimited = (id: string): string =>
  JSON.stringify({
    custom_id: id,
    response: { status_code: 429, body: { error: { message: 'Rate limit reached', code: 'rate_limit' } } },
    error: null,
  }) + '\n'
const expired = (id: string): string =>
  JSON.stringify({
    custom_id: id,
    response: null,
    error: { code: 'batch_expired', message: 'This request could not be executed.' },
  }) + '\n'

const read = async (text: string, options = {}): Promise<unknown> =>
  readAll(await openVectorFile(folder.file('batch.jsonl', text), options))

describe("OpenAI's batch output", () => {
  it('has the ids of its requests', async () => {
    expect(await read(openaiBatch([[1, 2], [3, 4]], ['a', 'b']))).toEqual({ rows: [[1, 2], [3, 4]], ids: ['a', 'b'] }) // prettier-ignore
  })

  it('has an id for each input of a request with several inputs', async () => {
    expect(await read(answered('a', [1, 2], [3, 4]) + answered('b', [5, 6]))).toEqual({
      rows: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      ids: ['a/0', 'a/1', 'b'],
    })
  })

  it('may have embeddings as base64', async () => {
    const embedding = float32([1.5, -2]).toString('base64')
    expect(await read(answered('a', embedding))).toEqual({ rows: [[1.5, -2]], ids: ['a'] })
  })

  it.each([
    [rateLimited('b'), 'line 2: the request "b" failed: status 429: rate_limit: Rate limit reached; send it again'],
    [expired('b'), 'line 2: the request "b" failed: batch_expired: This request could not be executed.'],
    [answered('b'), 'line 2: the request "b" failed: its response has no embedding'],
  ])('ends at a failed request (%#), which is named', async (line, message) => {
    const text = answered('a', [1, 2]) + line + answered('c', [1, 2])
    const { rows, error } = await readUntilError(await openVectorFile(folder.file('failed.jsonl', text)))
    expect(rows).toBe(1)
    expect(String(error)).toContain(message)
    expect(String(error)).toContain("pass invalid: 'skip' (--invalid skip)")
  })

  it("gives a failed request anywhere as a row of NaN with invalid: 'skip'", async () => {
    const text = rateLimited('a') + expired('b') + answered('c', [1, 2]) + rateLimited('d') + answered('e', [3, 4])
    const nan = [NaN, NaN]
    const file = await openVectorFile(folder.file('skip.jsonl', text), { invalid: 'skip' })
    const all = [nan, nan, [1, 2], nan, [3, 4]]
    expect(await readAll(file)).toEqual({ rows: all, ids: ['a', 'b', 'c', 'd', 'e'] })
    for (let startAt = 0; startAt <= 5; startAt++) {
      const rest = await readAll({ batches: () => file.batches(startAt) })
      expect(rest).toEqual({ rows: all.slice(startAt), ids: ['a', 'b', 'c', 'd', 'e'].slice(startAt) })
    }
  })

  it('with only failed requests is refused', async () => {
    const error = await invalidFile(read(expired('a') + rateLimited('b'), { invalid: 'skip' }))
    expect(error.message).toContain('none of its 2 records has a vector; the first, "a", failed: batch_expired')
  })

  it.each([
    ['{"custom_id":7,"response":{}}', 'has a "custom_id" that is not a string'],
    ['{"custom_id":"a","response":{"body":{"choices":[]}}}', 'has no array "data"'],
    ['{"custom_id":"a","response":{"body":{"data":[null]}}}', 'has no array of numbers at data[0].embedding'],
    ['{"custom_id":"a","response":{"body":{"data":[{"embedding":[]}]}}}', 'has an empty array at data[0].embedding'],
    ['{"custom_id":"a","response":{"body":{"data":[{"embedding":["1"]}]}}}', 'has a value that is not a number'],
    ['{"custom_id":"a","response":{"body":{"data":[{"embedding":"AAA"}]}}}', 'has text that is not base64 of float32'],
    [
      '{"custom_id":"a","response":{"body":{"data":[{"index":"x","embedding":[1]}]}}}',
      'has an "index" at data[0] that is not a whole number',
    ],
  ])('that is %s is refused, whatever the option for failed requests', async (line, message) => {
    const error = await invalidFile(read(`${line}\n`, { invalid: 'skip' }))
    expect(error.message).toContain(`line 1 ${message}`)
  })

  it('builds without the failed requests, which are counted', async () => {
    const lines = Array.from({ length: 300 }, (_, i) =>
      i % 10 === 3 ? rateLimited(`r${i}`) : answered(`r${i}`, [Math.sin(i), Math.cos(i), i % 7]),
    )
    const file = await openBuilt(folder.file('build.jsonl', lines.join('')), { invalid: 'skip' })
    const path = folder.file('batch.index')
    const report = await buildIndex((startAt) => file.batches(startAt), { path, invalid: 'skip', memory: '300MB' })
    expect(report).toMatchObject({ count: 270, skippedInvalid: 30 })
  })
})
