/** Builds with fields: each record gets its own ones, in the same bytes whatever memory, threads and interruptions. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  buildIndex,
  InvalidFieldError,
  InvalidOptionError,
  readManifest,
  verifyIndex,
  type BuildReport,
  type FieldSchema,
  type GivenFields,
  type Id,
  type VectorBatch,
  type VectorRecord,
} from '../../dist/src/index.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { decodeIdBytes } from '../../src/format/ids/encode-ids.js'
import { recordRuns } from '../../src/format/segment/record-runs.js'
import { SegmentReader } from '../../src/format/segment/segment-reader.js'
import { batches, build, makeFolder, randomRows, records, segmentsOf, type Built } from '../fixtures/builds.js'
import { fvecs } from '../fixtures/write-vector-files.js'

const SCHEMA: FieldSchema = {
  group: 'keyword',
  tags: 'keyword[]',
  price: 'number',
  sizes: 'number[]',
  at: 'date',
  isNew: 'boolean',
  place: 'geo',
  title: 'text',
  note: 'stored',
}

const rows = randomRows(3000, 8, 1)
const idOf = (row: number): Id => `id ${row}`

/** Of a row; one in five has none. */
function fieldsOf(row: number): GivenFields<typeof SCHEMA> {
  if (row % 5 === 0) return {}
  return {
    group: `group ${(row * 31) % 200}`,
    tags: Array.from({ length: row % 3 }, (_, i) => `tag ${(row + i) % 7} é`),
    price: row / 8,
    sizes: [row, -row],
    ...(row % 4 !== 0 && { at: new Date(1.7e12 + row * 1e7) }),
    isNew: row % 2 === 0,
    place: { lat: (row % 180) - 90, lon: row % 180 },
    title: `word ${row % 300} and ${(row * 7) % 1000} ëtwas`,
    note: { row, text: 'x'.repeat(row % 50) },
  }
}

function* recordsWithFields(fields = fieldsOf): Generator<VectorRecord> {
  let row = 0
  for (const record of records(rows, idOf)) yield { ...record, fields: fields(row++) }
}

function* fromRow(startAt: number): Generator<VectorRecord> {
  let row = 0
  for (const record of recordsWithFields()) if (row++ >= startAt) yield record
}

function* batchesWithFields(seed: number, most: number): Generator<VectorBatch> {
  let first = 0
  for (const batch of batches(rows, idOf, seed, most)) {
    const given = Array.from({ length: batch.vectors.length / rows.dimensions }, (_, i) => fieldsOf(first + i))
    first += given.length
    yield {
      ...batch,
      fields: Object.fromEntries(Object.keys(SCHEMA).map((name) => [name, given.map((one) => one[name] ?? null)])),
    }
  }
}

/** The fields of each id, as the files of the index have them. */
async function storedFields({ path }: Pick<Built, 'path'>): Promise<Map<Id, object>> {
  const { manifest, directory } = await readManifest(path)
  const codec = new FieldCodec(manifest.fields ?? [])
  const take = async <Value>(kind: 'ids' | 'fields', decode: (bytes: Buffer) => Value): Promise<Value[]> => {
    const all: Value[] = []
    for (const file of manifest.segments.filter((one) => one.kind === kind)) {
      const reader = await SegmentReader.open(join(directory, file.name), file)
      for await (const run of recordRuns(reader)) {
        for (let i = 0; i < run.count; i++) all.push(decode(run.bytesOf(i)))
      }
      await reader.close()
    }
    return all
  }
  const ids = await take('ids', (bytes) => decodeIdBytes(bytes, 'id', 'test'))
  const fields = await take('fields', (bytes) => codec.decode(bytes))
  expect(fields.length).toBe(ids.length)
  return new Map(ids.map((id, node) => [id, fields[node]]))
}

/** What comes back: an empty list is missing. */
function returned(row: number): object {
  return Object.fromEntries(
    Object.entries(fieldsOf(row)).filter(([, value]) => !Array.isArray(value) || value.length > 0),
  )
}

describe('a build with fields', () => {
  it('gives each record its own ones', async () => {
    const built = await build(recordsWithFields(), { fields: SCHEMA })
    expect(built.report.fields).toMatchObject({ count: 9 })
    const stored = await storedFields(built)
    expect(stored.size).toBe(rows.count)
    for (let row = 0; row < rows.count; row++) expect(stored.get(idOf(row))).toEqual(returned(row))
  })

  it('has the same bytes as records or batches, with any memory and threads', async () => {
    const expected = segmentsOf(await build(recordsWithFields(), { fields: SCHEMA }))
    for (const [source, options] of [
      [batchesWithFields(1, 1500), { threads: 1 }],
      [batchesWithFields(2, 7), { queueBytes: 0, memory: '400MB' }],
      [recordsWithFields(), { queueBytes: 0, threads: 2 }],
    ] as const) {
      expect(segmentsOf(await build(source, { fields: SCHEMA, ...options }))).toEqual(expected)
    }
  })

  it('takes records and batches without any', async () => {
    const built = await build(batches(rows, idOf), { fields: SCHEMA })
    expect(new Set([...(await storedFields(built)).values()].map((one) => JSON.stringify(one)))).toEqual(
      new Set(['{}']),
    )
  })

  it('leaves out records with wrong fields under skip, and counts them with the wrong vectors', async () => {
    const fields = (row: number): GivenFields => (row === 70 ? { price: 'cheap' } : fieldsOf(row))
    const source = [...recordsWithFields(fields)]
    source[71] = { ...source[71], vector: new Float32Array(8).fill(Number.NaN) }
    const built = await build(source, { fields: SCHEMA, invalid: 'skip' })
    expect(built.report).toMatchObject({ count: rows.count - 2, skippedInvalid: 2 })
    const events = built.report.events.filter(({ kind }) => kind === 'skipped-invalid')
    expect(events.map(({ message }) => message)[0]).toMatch(/^vector 70 has wrong fields: "price" .*: skipped$/)
    const stored = await storedFields(built)
    expect(stored.has(idOf(70))).toBe(false)
    for (const row of [69, 72, 2999]) expect(stored.get(idOf(row))).toEqual(returned(row))
  })

  it('names the first wrong record, be it the vector or the fields', async () => {
    const fields = (row: number): GivenFields => (row === 70 ? { colour: 'red' } : fieldsOf(row))
    const path = join(makeFolder(), 'an.index')
    const refused = buildIndex(recordsWithFields(fields), { path, fields: SCHEMA })
    await expect(refused).rejects.toBeInstanceOf(InvalidFieldError)
    await expect(refused).rejects.toThrow(/^record 70 \(id "id 70"\): unknown field "colour"/)
    const source = [...recordsWithFields(fields)]
    source[60] = { ...source[60], vector: new Float32Array(8).fill(Number.NaN) }
    await expect(buildIndex(source, { path, fields: SCHEMA })).rejects.toThrow(/^vector 60 /)
  })

  it.each(['first', 'last'] as const)('keeps the fields of the %s vector of an id', async (duplicates) => {
    const source = [...recordsWithFields()].map((one, row) => ({ ...one, id: `twice ${row % 1500}` }))
    const stored = await storedFields(await build(source, { fields: SCHEMA, duplicates }))
    expect(stored.size).toBe(1500)
    for (const row of [1, 700, 1499]) {
      expect(stored.get(`twice ${row}`)).toEqual(returned(duplicates === 'first' ? row : row + 1500))
    }
  })

  it('refuses fields without a schema, and names the option', async () => {
    const path = join(makeFolder(), 'an.index')
    for (const source of [recordsWithFields(() => ({ price: 1 })), batchesWithFields(1, 10)]) {
      const refused = buildIndex(source, { path })
      await expect(refused).rejects.toBeInstanceOf(InvalidOptionError)
      await expect(refused).rejects.toThrow('pass fields: { ')
    }
  })

  it('refuses a schema that is none', async () => {
    const path = join(makeFolder(), 'an.index')
    for (const fields of ['title', ['title'], { title: 'string' }, {}]) {
      await expect(buildIndex(recordsWithFields(), { path, fields: fields as never })).rejects.toBeInstanceOf(
        InvalidOptionError,
      )
    }
  })

  it.each(['assign nodes', 'fields', 'prove'])('that is stopped in stage %s goes on from there', async (stage) => {
    const expected = segmentsOf(await build(recordsWithFields(), { fields: SCHEMA }))
    const path = join(makeFolder(), 'an.index')
    const controller = new AbortController()
    const stopped = buildIndex(fromRow, {
      path,
      fields: SCHEMA,
      signal: controller.signal,
      onProgress: (event) => {
        if (event.stage === stage) controller.abort()
      },
    })
    await expect(stopped).rejects.toBeInstanceOf(AbortedError)
    const resumed = await build(fromRow, { path, fields: SCHEMA })
    expect(resumed.report.resumed).toMatchObject({ vectors: rows.count })
    expect(segmentsOf(resumed)).toEqual(expected)
  })
})

describe('a build with fields that was interrupted', () => {
  it('reads its source again when the files of its fields are damaged', async () => {
    const path = join(makeFolder(), 'an.index')
    const controller = new AbortController()
    const onProgress = ({ stage }: { stage: string }): void => {
      if (stage === 'prove') controller.abort()
    }
    const options = { path, fields: SCHEMA, onProgress, signal: controller.signal }
    await expect(buildIndex(fromRow, options)).rejects.toBeInstanceOf(AbortedError)
    const file = join(path, 'build', 'spill', 'fields-000000.spill')
    const bytes = readFileSync(file)
    bytes[5000] ^= 4
    writeFileSync(file, bytes)
    const { report } = await build(fromRow, { path, fields: SCHEMA })
    expect(report.resumed).toMatchObject({ vectors: 0 })
    const partly = report.events.filter(({ kind }) => kind === 'resume-partly')
    expect(partly[0].message).toContain('vectors that were ingested cannot be taken over')
  })
})

describe('a build with fields that is killed', () => {
  const CHILD = fileURLToPath(new URL('resume-child.mjs', import.meta.url))
  const folder = makeFolder()
  const input = join(folder, 'rows.fvecs')
  const vectors = randomRows(9000, 32, 3)
  const fields = { group: 'keyword', price: 'number', note: 'stored' }

  function run(task: object): { killed: boolean; report: BuildReport } {
    const { signal, stdout, stderr } = spawnSync(process.execPath, [CHILD, JSON.stringify({ input, ...task })], {
      encoding: 'utf8',
    })
    if (signal === 'SIGKILL') return { killed: true, report: {} as BuildReport }
    if (stdout === '') throw new Error(stderr)
    return { killed: false, ...(JSON.parse(stdout) as { report: BuildReport }) }
  }

  it('goes on from its last checkpoint, with the same bytes', async () => {
    const { values, count, dimensions } = vectors
    const list = Array.from({ length: count }, (_, row) => [
      ...values.subarray(row * dimensions, (row + 1) * dimensions),
    ])
    writeFileSync(input, fvecs(list))
    const whole = join(folder, 'whole.index')
    const expected = segmentsOf({ path: whole, ...run({ options: { path: whole, fields } }) })
    const path = join(folder, 'an.index')
    const options = { path, fields, threads: 1 }
    expect(run({ options, killAfter: { kind: 'ingest', nth: 1 } }).killed).toBe(true)
    expect(run({ options, killAfter: { kind: 'ingest', nth: 1, ended: true } }).killed).toBe(true)
    const last = run({ options })
    expect(last.report.resumed).toMatchObject({ vectors: count })
    expect(segmentsOf({ path, report: last.report })).toEqual(expected)
    expect((await verifyIndex(path)).ok).toBe(true)
  })

  it('begins afresh when the schema is another one', () => {
    const path = join(folder, 'other.index')
    expect(run({ options: { path, fields }, killAfter: { kind: 'ingest', nth: 1 } }).killed).toBe(true)
    const { report } = run({ options: { path, fields: { note: 'stored', group: 'keyword', price: 'number' } } })
    expect(report.events.find(({ kind }) => kind === 'fresh-start')?.message).toContain('its options were')
  })
})
