import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildIndex, exportIndex, openIndex, readVectors } from '../../dist/src/index.js'
import { TABLE_SCHEMA, tableAsJsonLines, tableAsParquet, type FieldTable } from '../fixtures/write-fields.js'
import { onlyJson, randomRows, shardloom, writeFvecs, type Ended } from './shardloom.js'

const ROWS = [...Array(40).keys()]
const TABLE: FieldTable = {
  vectors: randomRows(ROWS.length, 8).map((row) => [...row]),
  category: ROWS.map((row) => (row % 4 === 3 ? null : `category ${row % 3}`)),
  price: ROWS.map((row) => row / 4),
  count: ROWS.map((row) => row),
  active: ROWS.map((row) => row % 2 === 0),
  published: ROWS.map((row) => new Date(Date.UTC(2024, 0, 1 + row))),
  tags: ROWS.map((row) => (row % 5 === 0 ? null : ['all', `tag ${row}`])),
  scores: ROWS.map((row) => [row, -row]),
}
const NAMES = Object.keys(TABLE_SCHEMA)

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-cli-fields-'))
  writeFileSync(path.join(folder, 'table.parquet'), tableAsParquet(TABLE))
  writeFileSync(path.join(folder, 'table.jsonl'), tableAsJsonLines(TABLE))
  await writeFvecs(path.join(folder, 'rows.fvecs'), randomRows(20, 8))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inFolder = (args: readonly string[], stdin?: string): Promise<Ended> => shardloom(args, { cwd: folder, stdin })

/** What an index has under each id, from an export. */
function exportedFields(file: string): Map<unknown, unknown> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return new Map(
    lines.map((line) => JSON.parse(line) as { id: unknown; fields: unknown }).map((one) => [one.id, one.fields]),
  )
}

/** What it must have: the ids are positions, and what is missing is absent. */
const expectedFields = (names: readonly string[]): Map<unknown, unknown> =>
  new Map(
    ROWS.map((row) => {
      const columns = TABLE as unknown as Record<string, readonly unknown[]>
      const there = names.filter((name) => columns[name][row] !== null)
      return [row, JSON.parse(JSON.stringify(Object.fromEntries(there.map((name) => [name, columns[name][row]]))))]
    }),
  )

describe('shardloom build --fields', () => {
  it('puts columns into the index, and an export has them beside the ids', async () => {
    const column = ['--vector-column', 'embedding', '--fields', NAMES.join(',')]
    const built = await inFolder(['build', 'table.parquet', ...column, '--out', 'a.index', '--quiet'])
    expect(built).toMatchObject({ exitCode: 0, stderr: '' })
    const { exitCode, stdout } = await inFolder([
      'export',
      'a.index',
      '--format',
      'fvecs',
      '--out',
      'a.fvecs',
      '--json',
    ])
    expect(exitCode).toBe(0)
    const { fieldsFile } = onlyJson(stdout)
    expect(exportedFields(String(fieldsFile))).toEqual(expectedFields(NAMES))
  })

  it('takes types after names, from lines too', async () => {
    const fields = 'published:date,category,tags'
    const built = await inFolder(['build', 'table.jsonl', '--out', 'b.index', '--fields', fields, '--quiet'])
    expect(built).toMatchObject({ exitCode: 0, stderr: '' })
    await inFolder(['export', 'b.index', '--format', 'fvecs', '--out', 'b.fvecs'])
    expect(exportedFields(path.join(folder, 'b.fvecs.fields.jsonl'))).toEqual(
      expectedFields(['category', 'published', 'tags']),
    )
  })

  it('may stand in a configuration file, as a schema', async () => {
    const config = { input: 'table.jsonl', path: 'c.index', fields: { price: 'number', tags: 'keyword[]' } }
    writeFileSync(path.join(folder, 'fields.json'), JSON.stringify(config))
    expect(await inFolder(['build', '--config', 'fields.json', '--quiet'])).toMatchObject({ exitCode: 0, stderr: '' })
    await inFolder(['export', 'c.index', '--format', 'fvecs', '--out', 'c.fvecs'])
    expect(exportedFields(path.join(folder, 'c.fvecs.fields.jsonl'))).toEqual(expectedFields(['price', 'tags']))
  })

  it.each([
    ['table.parquet', 'categroy', 'it has no column "categroy"; did you mean "category"?'],
    ['table.parquet', 'category:nubmer', 'the type of field "category" must be one of'],
    ['table.parquet', 'category:number', 'its column "category" is UTF8, which can be a field of type keyword'],
    ['table.jsonl', 'categroy', 'it has no field "categroy"; did you mean "category"?'],
    ['rows.fvecs', 'category', 'fields (--fields) names columns of parquet, arrow, json-lines, csv, tsv'],
  ])('of %s, %s, ends with 2 and says why', async (input, fields, message) => {
    const column = input.endsWith('.parquet') ? ['--vector-column', 'embedding'] : []
    const { exitCode, stderr } = await inFolder(['build', input, ...column, '--out', 'd.index', '--fields', fields])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
  })

  it('needs types for standard input', async () => {
    const args = ['build', '-', '--out', 'e.index', '--quiet', '--fields']
    const lines = tableAsJsonLines(TABLE)
    const untyped = await inFolder([...args, 'category'], lines)
    expect(untyped.exitCode).toBe(2)
    expect(untyped.stderr).toContain('the type of field "category" must be given')
    expect(await inFolder([...args, 'category:keyword'], lines)).toMatchObject({ exitCode: 0, stderr: '' })
  })
})

it('buildIndex takes the schema from the files that readVectors reads', async () => {
  const source = readVectors(path.join(folder, 'table.parquet'), { vectorColumn: 'embedding', fields: NAMES })
  expect((await source.facts()).fields).toEqual(TABLE_SCHEMA)
  const index = path.join(folder, 'f.index')
  await buildIndex(source, { path: index })
  const { fieldsFile = '' } = await exportIndex(index, { format: 'fvecs', out: path.join(folder, 'f.fvecs') })
  expect(exportedFields(fieldsFile)).toEqual(expectedFields(NAMES))
})

describe('shardloom create and upsert', () => {
  const record = (id: string, fields: object): string =>
    `${JSON.stringify({ id, vector: [id.length, 1], ...fields })}\n`
  const fieldsAfter = async (index: string, id: string): Promise<unknown> => {
    const open = await openIndex(path.join(folder, index))
    const found = open.get(id)?.fields
    await open.close()
    return found
  }

  it('make an index with fields, and take them from keys of the records', async () => {
    const create = ['create', 'g.index', '--dimensions', '2', '--fields', 'category:keyword,price:number', '--quiet']
    expect(await inFolder(create)).toMatchObject({ exitCode: 0, stderr: '' })
    const lines = record('a', { category: 'news', price: 3 }) + record('bb', { price: null, other: 1 })
    expect(await inFolder(['upsert', 'g.index', '-', '--quiet'], lines)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await fieldsAfter('g.index', 'a')).toEqual({ category: 'news', price: 3 })
    expect(await fieldsAfter('g.index', 'bb')).toEqual({})
  })

  it('take only the fields that are named, with the types of the index', async () => {
    const lines = record('a', { category: 'sport', price: 4 })
    await inFolder(['upsert', 'g.index', '-', '--fields', 'price', '--quiet'], lines)
    expect(await fieldsAfter('g.index', 'a')).toEqual({ price: 4 })
  })

  it('take vectors alone from files without columns, and say so', async () => {
    await writeFvecs(path.join(folder, 'two.fvecs'), randomRows(1, 2))
    writeFileSync(path.join(folder, 'two.txt'), 'a\n')
    const { exitCode, stderr } = await inFolder(['upsert', 'g.index', 'two.fvecs', '--ids', 'two.txt'])
    expect(exitCode).toBe(0)
    expect(stderr).toContain('has vectors only')
    expect(await fieldsAfter('g.index', 'a')).toEqual({})
  })

  it('need types where no file tells them', async () => {
    const { exitCode, stderr } = await inFolder(['create', 'h.index', '--dimensions', '2', '--fields', 'category'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('the type of field "category" must be given')
  })
})
