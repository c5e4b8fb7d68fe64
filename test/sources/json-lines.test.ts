import { Readable } from 'node:stream'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidFileError } from '../../src/errors.js'
import type { VectorBatch } from '../../src/api/vectors.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import { readAll, readUntilError, temporaryFolder } from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()

/** The batches of a JSON lines file, copied. */
async function batchesOf(text: string | Uint8Array): Promise<VectorBatch[]> {
  const batches: VectorBatch[] = []
  const file = await openVectorFile(folder.file('batches.jsonl', text))
  for await (const batch of file.batches()) batches.push({ ...batch, vectors: batch.vectors.slice() })
  return batches
}

describe('a JSON lines file', () => {
  it('gives ids as written: strings and integers', async () => {
    const [batch] = await batchesOf('{"id":"a","vector":[1]}\n{"id":7,"vector":[2]}\n{"id":"7","vector":[3]}\n')
    expect(batch.ids).toEqual(['a', 7, '7'])
  })

  it('without ids gives batches without ids', async () => {
    const [batch] = await batchesOf('{"vector":[1,2]}\n')
    expect('ids' in batch).toBe(false)
  })

  it('may call the vector "embedding", and have other fields', async () => {
    const [batch] = await batchesOf('{"title":"x","embedding":[1,2],"tags":["vector"]}\n')
    expect(batch.vectors).toEqual(Float32Array.of(1, 2))
  })

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['blank lines between', '\n \t\r\n\n'],
  ])('may end its lines with %s', async (_, end) => {
    const text = ['{"vector":[1]}', '{"vector":[2]}', '{"vector":[3]}'].join(end)
    for (const whole of [text, text + end, end + text]) {
      expect((await batchesOf(whole))[0].vectors).toEqual(Float32Array.of(1, 2, 3))
    }
  })

  it('may begin with a byte order mark', async () => {
    expect((await batchesOf('\ufeff{"vector":[1]}\n'))[0].vectors).toEqual(Float32Array.of(1))
  })

  it('of no lines gives no batches', async () => {
    expect(await batchesOf('')).toEqual([])
    expect(await batchesOf('\n\n')).toEqual([])
  })

  it('gives numbers beyond float32 as infinity, for the build to refuse', async () => {
    expect((await batchesOf('{"vector":[1e39,-1e400]}\n'))[0].vectors).toEqual(Float32Array.of(Infinity, -Infinity))
  })

  it('keeps every digit of an integer id, wherever the key is, as text beyond 2^53', async () => {
    const lines = [
      '{"id":9007199254740991,"vector":[1]}',
      '{"id":9007199254740993,"vector":[1]}',
      ' { "vector" : [1], "id" : -1234567890123456789 }',
      '{"note":{"id":1},"id":18446744073709551615,"vector":[1]}',
      String.raw`{"note":"\"id\":5,","\u0069d":18446744073709551614,"vector":[1]}`,
      '{"id":18446744073709551611,"vector":[1],"id":18446744073709551612}',
    ]
    expect((await batchesOf(lines.join('\n'))).flatMap(({ ids }) => ids)).toEqual([
      2 ** 53 - 1,
      '9007199254740993',
      '-1234567890123456789',
      '18446744073709551615',
      '18446744073709551614',
      '18446744073709551612',
    ])
  })

  it('takes a vector as the text of pgvector', async () => {
    expect((await batchesOf('{"vector":"[1,-2.5]"}\n'))[0].vectors).toEqual(Float32Array.of(1, -2.5))
  })

  it('keeps characters that are split between reads', async () => {
    const ids = Array.from({ length: 60_000 }, (_, i) => `é漢😀${i}`)
    const batches = await batchesOf(ids.map((id) => `{"id":"${id}","vector":[1]}\n`).join(''))
    expect(batches.flatMap((batch) => batch.ids)).toEqual(ids)
  })

  it('ends a batch where the length changes, so that the build can name the vector', async () => {
    const batches = await batchesOf('{"vector":[1,2]}\n{"vector":[3,4]}\n{"vector":[5]}\n{"vector":[6,7]}\n')
    expect(batches.map(({ dimensions, vectors }) => [dimensions, [...vectors]])).toEqual([
      [2, [1, 2, 3, 4]],
      [1, [5]],
      [2, [6, 7]],
    ])
  })

  it('ends a batch where ids begin or end, so that the build can name the vector', async () => {
    const batches = await batchesOf('{"vector":[1]}\n{"id":1,"vector":[2]}\n{"vector":[3]}\n')
    expect(batches.map(({ ids }) => ids)).toEqual([undefined, [1], undefined])
  })

  it.each([
    ['{"vector":[1,2}', 'is not JSON: '],
    ['{"vector":[NaN]}', 'is not JSON: '],
    ['{"vector":[1', 'is not JSON: '],
    ['[1,"2"]', 'has a string at element[1], expected a number'],
    ['5', 'is a number, expected an object'],
    ['null', 'is null, expected an object'],
    ['{"id":1}', 'has no "vector"'],
    ['{"vector":null}', 'has null as "vector"; pass invalid: '],
    ['{"vector":"1,2"}', 'has a string as "vector", expected an array of numbers'],
    ['{"embedding":{"0":1}}', 'has an object as "embedding", expected an array of numbers'],
    ['{"vector":[]}', 'has an empty "vector"'],
    ['{"vector":[1],"embedding":[1]}', 'has both "vector" and "embedding", expected one'],
    ['{"vector":[1,"2"]}', 'has a string at vector[1], expected a number'],
    ['{"embedding":[1,2,null]}', 'has null at embedding[2], expected a number'],
    ['{"vector":[[1,2]]}', 'has an array at vector[0], expected a number'],
    ['{"id":null,"vector":[1]}', 'has null as "id", expected a string or an integer'],
    ['{"id":true,"vector":[1]}', 'has a boolean as "id", expected a string or an integer'],
    ['{"id":{},"vector":[1]}', 'has an object as "id", expected a string or an integer'],
    ['{"id":1.5,"vector":[1]}', 'has the id 1.5, not an integer'],
    [
      '{"id":1e20,"vector":[1]}',
      'has the id 100000000000000000000, an integer too large to be exact; write all its digits, or a string',
    ],
    [`{"vector":[${'1,'.repeat(65_536)}1]}`, 'has 65537 numbers in "vector", expected at most 65536'],
  ])('with the line %.40j fails there, after the lines before it', async (bad, reason) => {
    const good = '{"vector":[1]}\n'
    const path = folder.file('bad.jsonl', `${good}\n${good}${bad}\n${good}`)
    const { rows, error } = await readUntilError(await openVectorFile(path))
    expect(rows).toBe(2)
    expect(error).toBeInstanceOf(InvalidFileError)
    expect(String(error)).toContain(`${path} at byte ${2 * good.length + 1}: line 4 ${reason}`)
  })

  it('that is not UTF-8 fails at the line, after the lines before it', async () => {
    const bytes = Buffer.from('{"vector":[1]}\n{"id":"?","vector":[2]}\n')
    bytes[bytes.indexOf('?')] = 0xff
    const { rows, error } = await readUntilError(await openVectorFile(folder.file('latin.jsonl', bytes)))
    expect(rows).toBe(1)
    expect(String(error)).toContain('at byte 15: line 2 is not UTF-8 text')
  })

  it('with a line longer than 64 MiB fails at it, after the lines before it', async () => {
    const path = folder.file('endless.jsonl')
    const fd = openSync(path, 'w')
    // A hole: 70 MiB of zero bytes that take no disk.
    writeSync(fd, '{"vector":[1]}\n')
    ftruncateSync(fd, 70 * 1024 * 1024)
    closeSync(fd)
    const { rows, error } = await readUntilError(await openVectorFile(path))
    expect(rows).toBe(1)
    expect(String(error)).toContain('at byte 15: line 2 is longer than 67108864 bytes')
  })

  it('may have lines longer than a read', async () => {
    const filler = 'x'.repeat(3_500_000)
    const batches = await batchesOf(`{"vector":[1],"text":"${filler}"}\n{"vector":[2],"text":"${filler}"}`)
    expect(batches.flatMap(({ vectors }) => [...vectors])).toEqual([1, 2])
  })

  it('cut at any byte is read up to the cut or refused', async () => {
    const lines = Array.from({ length: 5 }, (_, i) => `{"id":"${i}é","vector":[${i},0.5]}\n`)
    const bytes = Buffer.from(lines.join(''))
    for (let length = 0; length <= bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      const wholeLines = cut.filter((byte) => byte === 10).length
      const { rows, error } = await readUntilError(await openVectorFile(folder.file('cut.jsonl', cut)))
      const rest = length - (cut.lastIndexOf(10) + 1)
      const complete = cut.length > 0 && bytes[length] === 10
      expect(rows).toBe(wholeLines + (complete ? 1 : 0))
      expect(error !== undefined).toBe(rest > 0 && !complete)
    }
  })

  it('that grew after it was opened is read to its new end', async () => {
    const path = folder.file('growing.jsonl', '{"vector":[1]}\n')
    const file = await openVectorFile(path)
    folder.file('growing.jsonl', '{"vector":[1]}\n{"vector":[2]}\n')
    expect((await readAll(file)).rows).toEqual([[1], [2]])
  })
})

describe('JSON lines from a stream', () => {
  const text = Array.from({ length: 40 }, (_, i) => `{"id":"${i}é漢","vector":[${i}]}\n`).join('')

  it('do not depend on the sizes of chunks', async () => {
    const bytes = Buffer.from(text)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length })), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const chunks = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
        const file = await openVectorFile('-', { stdin: Readable.from(chunks) })
        expect(file).toMatchObject({ path: '-', format: 'json-lines', count: undefined, bytes: undefined })
        expect((await readAll(file)).ids).toEqual(Array.from({ length: 40 }, (_, i) => `${i}é漢`))
      }),
      { numRuns: 50 },
    )
  })

  it('can be read only once', async () => {
    const file = await openVectorFile('-', { stdin: Readable.from([Buffer.from(text)]) })
    await readAll(file)
    await expect(readAll(file)).rejects.toThrow('-: it is a pipe and was read already')
  })

  it('end the stream when the consumer breaks out of the loop', async () => {
    const stdin = new Readable({
      read() {
        this.push(Buffer.from('{"vector":[1,2]}\n'.repeat(10_000)))
      },
    })
    const file = await openVectorFile('-', { stdin })
    for await (const _ of file.batches()) break
    expect(stdin.destroyed).toBe(true)
  })

  it('can be closed while the stream is silent', async () => {
    const stdin = new Readable({ read() {} })
    const file = await openVectorFile('-', { stdin })
    const next = file.batches().next()
    const outcome = expect(next)
      .resolves.toMatchObject({ done: true })
      .catch(() => expect(next).rejects.toThrow())
    await new Promise((resolve) => setTimeout(resolve, 10))
    await file.close()
    await outcome
    expect(stdin.destroyed).toBe(true)
  })

  it('throw the error of a stream that fails', async () => {
    const stdin = Readable.from(
      (function* () {
        yield Buffer.from('{"vector":[1]}\n')
        throw new Error('the line went dead')
      })(),
    )
    const { rows, error } = await readUntilError(await openVectorFile('-', { stdin }))
    expect(rows).toBe(1)
    expect(String(error)).toContain('the line went dead')
  })
})
