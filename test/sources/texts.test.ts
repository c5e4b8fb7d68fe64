import { describe, expect, it } from 'vitest'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { ReadOptions } from '../../src/sources/vector-file.js'
import { csvOfColumns, csvOfTexts, jsonArray, word2vec, wordLines, wordOf } from '../fixtures/write-texts.js'
import {
  expectRows,
  float32,
  invalidFile,
  jsonLines,
  readAll,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 40 }, (_, r) => Array.from({ length: 6 }, (__, i) => ((r * 31 + i * 7) % 127) - 60))
const few = [
  [1, 2],
  [3, 4],
]

async function read(name: string, content: string | Uint8Array, options: ReadOptions = {}): ReturnType<typeof readAll> {
  return readAll(await openVectorFile(folder.file(name, content), options))
}

const refusal = async (name: string, content: string, options: ReadOptions = {}): Promise<string> =>
  (await invalidFile(read(name, content, options))).message

describe('JSON', () => {
  it.each([
    ['other names', '{"_id":"a","vec":[1,2]}\n{"_id":"b","vec":[3,4]}\n', { vectorColumn: 'vec', idColumn: '_id' }],
    [
      'paths',
      '{"m":{"k":"a"},"d":{"v":[1,2]}}\n{"m":{"k":"b"},"d":{"v":[3,4]}}',
      { vectorColumn: 'd.v', idColumn: 'm.k' },
    ],
    ['a name with a dot', '{"d.v":[1,2],"id":"a"}\n{"d.v":[3,4],"id":"b"}', { vectorColumn: 'd.v' }],
    ['vectors as text', '{"id":"a","vector":"[1,2]"}\n{"id":"b","vector":"{3,4}"}', {}],
    ['an array of objects', '[{"id":"a","vector":[1,2]},\n {"id":"b","vector":[3,4]}]', {}],
    [
      'an array with other names',
      '\ufeff[{"_id":"a","v":[1,2]},{"_id":"b","v":[3,4]}]',
      { vectorColumn: 'v', idColumn: '_id' },
    ],
  ])('has %s', async (_, content, options) => {
    expect(await read('a.jsonl', content, options)).toEqual({ rows: few, ids: ['a', 'b'] })
  })

  it('has arrays of numbers, in lines or in one array', async () => {
    expect(await read('a.jsonl', '[1,2]\n[3,4]\n')).toEqual({ rows: few, ids: [] })
    expect(await read('a.json', '[[1,2],[3,4]]')).toEqual({ rows: few, ids: [] })
    expect((await read('many.json', jsonArray(rows))).rows).toEqual(rows)
  })

  it.each([
    ['{"id":1}', { vectorColumn: 'a.b' }, 'line 1 has no "a.b"'],
    ['{"vector":[1]}', { idColumn: '_id' }, 'line 1 has no "_id"'],
    ['[{"vector":[1]},{"vector":[1,"x"]}]', {}, 'element 2 has a string at vector[1]'],
    ['[{"vector":[1]},', {}, 'its JSON array has no end: it is truncated'],
    ['[{"vector":[1]},,{"vector":[1]}]', {}, 'its JSON array has no element 2 between its commas'],
    ['[{"vector":[1]}] x', {}, 'its JSON array is followed by something else'],
    ['[1,2]', { idColumn: 'x' }, 'line 1 is an array, which has no fields with names'],
  ])('%s with %j is refused with its place', async (content, options, message) => {
    expect(await refusal('a.json', content, options)).toContain(message)
  })

  it("leaves out a vector that is null or empty with invalid: 'skip'", async () => {
    const content = '{"vector":[1,2]}\n{"vector":null}\n{"vector":[]}\n{"vector":[3,4]}\n'
    expect(await refusal('a.jsonl', content)).toContain(`line 2 has null as "vector"; pass invalid: 'skip'`)
    const skipped = await read('a.jsonl', content, { invalid: 'skip' })
    expectRows(skipped.rows, [few[0], [NaN, NaN], [NaN, NaN], few[1]])
  })
})

describe('CSV', () => {
  it.each([
    ['a JSON text', 'id,note,embedding\na,"x, ""y""","[1, 2]"\nb,z,"[3, 4]"\n', {}],
    ['the text of NumPy', 'id;v\na;[1. 2.]\nb;[ 3.  4. ]\n', {}],
    ['columns of numbers', 'id,x,y\r\na,1,2\r\nb,3,4\r\n', {}],
    ['some columns of numbers', 'key,n,dim_0,dim_1\na,9,1,2\nb,9,3,4', { vectorColumn: 'dim_*', idColumn: 'key' }],
    ['no header', 'a,1,2\nb,3,4\n', { idColumn: '1' }],
    ['line ends in quotes', 'id,note,vector\na,"x\ny","[1,2]"\nb,"\n","[3,\n4]"\n', {}],
  ])('has %s', async (_, content, options) => {
    expect(await read('a.csv', content, options)).toEqual({ rows: few, ids: ['a', 'b'] })
  })

  it('of pandas has an index without a name', async () => {
    expect(await read('a.csv', csvOfColumns(rows))).toEqual({ rows, ids: [] })
    expect(await read('a.tsv', csvOfTexts(rows, '\t'))).toEqual({ rows, ids: [] })
  })

  it('is what COPY of pgvector writes', async () => {
    const options = { idColumn: '1', invalid: 'skip' } as const
    const copy = await read('a.tsv', 'a\t[1,2]\nb\t\\N\nc\t[3,4]\n', options)
    expectRows(copy.rows, [few[0], [NaN, NaN], few[1]])
    expect(copy.ids).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['id,vector\na,"[1,2]"\nb\n', {}, 'line 3 has 1 fields, expected 2 as in the first line'],
    ['id,vector\na,"[1,x]"\n', {}, 'line 2 has "x" at place 1 of its vector in column "vector"'],
    ['id,vector\na,"[1 ... 2]"\n', {}, 'NumPy shortened with ...; write it with numpy.set_printoptions'],
    ['id,vector\na,"[1,2]\n', {}, 'line 2 has a quote without an end'],
    ['id,vector\na,"[1,2]"x\n', {}, 'line 2 has something between the end of a quote'],
    ['id,name,x\na,b,1\n', {}, 'its column "name" has no numbers; choose a column with vectorColumn'],
    ['id,x,y\na,1,z\n', { vectorColumn: 'q' }, 'it has no column "q"; its columns are id, x, y'],
    ['id,x,y\na,1,2\nb,1,z\n', {}, 'line 3 has "z" in column "y", expected a number'],
    ['id,x,y\na,1,2\nb,1,\n', {}, 'line 3 has no number in column "y"'],
    ['a,b\n"[1]","[2]"\n', {}, 'it has 2 columns of vectors: a, b; choose with vectorColumn'],
  ])('%j with %j is refused with its place', async (content, options, message) => {
    expect(await refusal('a.csv', content, options)).toContain(message)
  })
})

describe('word vectors', () => {
  it.each(['words.vec', 'words', 'glove.txt'])('%s has words as ids, which may have blanks', async (name) => {
    const words = rows.map((_, i) => wordOf(i))
    for (const hasHeader of [true, false]) {
      expect(await read(name, wordLines(rows, hasHeader))).toEqual({ rows, ids: words })
    }
  })

  it('of word2vec are known by their content', async () => {
    const bytes = word2vec(rows)
    const file = await openVectorFile(folder.file('vectors.bin', bytes))
    expect(file).toMatchObject({ format: 'word2vec', count: 40, dimensions: 6 })
    expect(await readAll(file)).toEqual({ rows, ids: rows.map((_, i) => `word${i}`) })
    await expect(read('more.bin', Buffer.concat([bytes, bytes]))).rejects.toThrow('something follows its 40 words')
  })

  it('are refused at another number of numbers, and when words are missing', async () => {
    expect(await refusal('a.vec', 'a 1 2\nb 3\n')).toContain('line 2 has 1 numbers after its word, expected 2')
    expect(await refusal('a.vec', '3 2\na 1 2\nb 3 4\n')).toContain('it is truncated: it has 2 words, expected 3')
  })
})

describe('raw float32', () => {
  const bytes = float32(rows.flat())

  it.each(['a.f32', 'a.bin', 'a.dat', 'raw'])('%s is read by its dimensions', async (name) => {
    const file = await openVectorFile(folder.file(name, bytes), { dimensions: 6 })
    expect(file).toMatchObject({ format: 'raw', count: 40, dimensions: 6 })
    expectRows((await readAll({ batches: () => file.batches(7) })).rows, rows.slice(7))
  })

  it('is refused without dimensions, or with others', async () => {
    const path = folder.file('a.f32', bytes)
    await expect(openVectorFile(path)).rejects.toThrow('pass dimensions (--dimensions N)')
    await expect(openVectorFile(path, { dimensions: 7 })).rejects.toThrow('(34 rows and 8 bytes)')
  })
})

it('JSON lines are known behind a byte order mark', async () => {
  expect((await read('lines', `\ufeff${jsonLines(few)}`)).rows).toEqual(few)
})
