import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readIdLines } from '../../src/sources/lines/read-id-lines.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { Id } from '../../src/api/vectors.js'
import {
  fvecs,
  invalidFile,
  jsonLines,
  readAll,
  readUntilError,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()

async function idsOf(text: string | Uint8Array, name = 'read.txt'): Promise<Id[]> {
  const ids: Id[] = []
  for await (const some of readIdLines(folder.file(name, text))) ids.push(...some)
  return ids
}

describe('readIdLines', () => {
  it.each([
    ['LF', 'a\nb\n'],
    ['CRLF', 'a\r\nb\r\n'],
    ['no end of the last line', 'a\nb'],
    ['an empty last line', 'a\nb\n\n'],
    ['an empty last line after CRLF', 'a\r\nb\r\n\r\n'],
    ['a byte order mark', '\ufeffa\nb\n'],
  ])('reads lines with %s', async (_, text) => {
    expect(await idsOf(text)).toEqual(['a', 'b'])
  })

  it('keeps integers as strings, as written', async () => {
    expect(await idsOf('1\n007\n-3\n')).toEqual(['1', '007', '-3'])
  })

  it('keeps blanks inside and around an id', async () => {
    expect(await idsOf(' a b \n\t\n')).toEqual([' a b ', '\t'])
  })

  it('gives nothing for an empty file', async () => {
    expect(await idsOf('')).toEqual([])
  })

  it('loses no id between reads', async () => {
    const ids = Array.from({ length: 300_000 }, (_, i) => `id-${i}é`)
    expect(await idsOf(ids.join('\n'))).toEqual(ids)
  })

  it.each([
    ['\na\n', 1, 0],
    ['a\n\nb\n', 2, 2],
    ['a\r\n\r\nb\r\n', 2, 3],
    ['a\n\n\n', 2, 2],
  ])('refuses %j for its empty line', async (text, line, offset) => {
    const error = await invalidFile(idsOf(text))
    expect(error.message).toContain(`read.txt at byte ${offset}: line ${line} is empty, expected an id on every line`)
  })

  it('refuses an empty line that a read ends with', async () => {
    const id = 'x'.repeat(1023)
    const error = await invalidFile(idsOf(`${`${id}\n`.repeat(1023)}${id}\n\n${id}\n`.slice(1)))
    expect(error.message).toContain('line 1025 is empty')
  })

  it.each(['read.jsonl', 'read.ndjson'])('reads the JSON of %s, and keeps strings and integers apart', async (name) => {
    const ids = ['a', 7, '7', -3, '', 'two\nlines', 'é']
    expect(await idsOf(ids.map((id) => JSON.stringify(id)).join('\n'), name)).toEqual(ids)
  })

  it('keeps every digit of an integer in JSON, as text beyond 2^53', async () => {
    const text = '9007199254740991\n9007199254740993\n -18446744073709551615 \n'
    expect(await idsOf(text, 'large.jsonl')).toEqual([2 ** 53 - 1, '9007199254740993', '-18446744073709551615'])
  })

  it.each(['x', '1.5', 'null', '["a"]', '1e20'])('refuses the JSON %j, which is not an id', async (text) => {
    const error = await invalidFile(idsOf(`"a"\n${text}\n`, 'read.jsonl'))
    expect(error.message).toContain('at byte 4: line 2 is not an id as JSON')
  })

  it('refuses text that is not UTF-8', async () => {
    const error = await invalidFile(idsOf(Buffer.from([97, 10, 0xff, 10])))
    expect(error.message).toContain('at byte 2: line 2 is not UTF-8')
  })
})

describe('ids attached to vectors', () => {
  const rows = [[1], [2], [3]]

  it.each([
    ['fewer', 'a\nb\n', 2],
    ['more', 'a\nb\nc\nd\n', 4],
    ['none', '', 0],
  ])('%s than the vectors are refused at once when the header tells the count', async (_, text, idCount) => {
    const ids = folder.file('some.txt', text)
    const path = folder.file('three.fvecs', fvecs(rows))
    const error = await invalidFile(openVectorFile(path, { ids }))
    expect(error.message).toContain(`${ids}: it has ${idCount} ids, expected 3: one for each vector of ${path}`)
  })

  it.each([
    ['fewer', 'a\nb\n', 2],
    ['more', 'a\nb\nc\nd\n', 4],
    ['none', '', 0],
  ])('%s than the lines of JSON are refused with both counts when one ends', async (_, text, idCount) => {
    const ids = folder.file('some.txt', text)
    const path = folder.file('three.jsonl', jsonLines(rows))
    const file = await openVectorFile(path, { ids })
    const error = await invalidFile(readAll(file))
    expect(error.message).toContain(`${ids}: it has ${idCount} ids, expected 3: one for each vector of ${path}`)
  })

  it('are never fewer than the vectors of a batch', async () => {
    const file = await openVectorFile(folder.file('three.jsonl', jsonLines(rows)), {
      ids: folder.file('ab.txt', 'a\nb'),
    })
    expect(await readUntilError(file)).toMatchObject({ rows: 0, error: { code: 'SHARDLOOM_INVALID_FILE' } })
  })

  it('are counted to the end, also with many more batches of vectors', async () => {
    const many = Array.from({ length: 3000 }, () => new Array<number>(300).fill(1))
    const file = await openVectorFile(folder.file('many.jsonl', jsonLines(many)), {
      ids: folder.file('one.txt', 'a\n'),
    })
    const error = await invalidFile(readAll(file))
    expect(error.message).toContain('it has 1 ids, expected 3000')
  })

  it('can be attached to standard input', async () => {
    const stdin = Readable.from([Buffer.from(jsonLines(rows))])
    const file = await openVectorFile('-', { ids: folder.file('abc.txt', 'a\nb\nc\n'), stdin })
    expect(await readAll(file)).toEqual({ rows, ids: ['a', 'b', 'c'] })
  })

  it('are refused when the records already have ids', async () => {
    const text = '{"vector":[1]}\n{"id":5,"vector":[2]}\n'
    const file = await openVectorFile(folder.file('own.jsonl', text), { ids: folder.file('two.txt', 'a\nb\n') })
    const { rows: got, error } = await readUntilError(file)
    expect(got).toBe(1)
    expect(String(error)).toContain('own.jsonl already have ids (vector 1 has one); give ids in one place')
  })

  it('from a missing file are refused before the vectors are read', async () => {
    const path = folder.file('three.jsonl', jsonLines(rows))
    await expect(openVectorFile(path, { ids: folder.file('missing.txt') })).rejects.toMatchObject({
      code: 'SHARDLOOM_PATH',
    })
  })

  it('with an empty line are refused before the vectors are read', async () => {
    const path = folder.file('three.fvecs', fvecs(rows))
    const error = await invalidFile(openVectorFile(path, { ids: folder.file('gap.txt', 'a\n\nc\n') }))
    expect(error.message).toContain('line 2 is empty')
  })
})
