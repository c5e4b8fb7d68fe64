import { Readable } from 'node:stream'
import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError, PathError } from '../../src/errors.js'
import { expandPaths } from '../../src/sources/expand-paths.js'
import { openVectorFiles } from '../../src/sources/open-vector-file.js'
import { parquet } from '../fixtures/write-parquet.js'
import {
  bvecs,
  fvecs,
  invalidFile,
  jsonLines,
  npy,
  readAll,
  readUntilError,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 5000 }, (_, row) => Array.from({ length: 20 }, (__, i) => (row * 31 + i * 7) % 127))

/** Five files of four formats, whose rows together are `rows`. */
function parts(): string[] {
  mkdirSync(folder.file('parts'), { recursive: true })
  return [
    folder.file('parts/1.fvecs', fvecs(rows.slice(0, 1000))),
    folder.file('parts/2.jsonl', jsonLines(rows.slice(1000, 1700))),
    folder.file('parts/3.parquet', parquet(rows.slice(1700, 3000))),
    folder.file('parts/4.jsonl', jsonLines(rows.slice(3000, 3001))),
    folder.file('parts/5.npy', npy(rows.slice(3001))),
  ]
}

describe('several files', () => {
  it('are read as one, from any row', async () => {
    const file = await openVectorFiles(parts())
    for (const startAt of [0, 1, 999, 1000, 1001, 1699, 1700, 2500, 2999, 3000, 3001, 4999, 5000, 6000]) {
      expect((await readAll({ batches: () => file.batches(startAt) })).rows).toEqual(rows.slice(startAt))
    }
  })

  it('have a count when each has one, and the first known dimensions', async () => {
    const [first, lines, table, , last] = parts()
    expect(await openVectorFiles([first, table, last])).toMatchObject({ count: 4299, dimensions: 20 })
    expect(await openVectorFiles([lines, table])).toMatchObject({ count: undefined, dimensions: 20 })
  })

  it('take one file of ids for all', async () => {
    const ids = folder.file('ids.txt', rows.map((_, i) => `id ${i}\n`).join(''))
    const read = await readAll(await openVectorFiles(parts(), { ids }))
    expect(read.ids).toEqual(rows.map((_, i) => `id ${i}`))
  })

  it('may include standard input', async () => {
    const [first, , , , last] = parts()
    const stdin = Readable.from([Buffer.from(jsonLines(rows.slice(1000, 3001)))])
    const file = await openVectorFiles([first, '-', last], { stdin })
    expect(await file.fingerprint()).toBeUndefined()
    expect((await readAll(file)).rows).toEqual(rows)
  })

  it('have a fingerprint that changes with any of them and with their order', async () => {
    const print = async (paths: string[]): Promise<string | undefined> => (await openVectorFiles(paths)).fingerprint()
    const all = parts()
    const before = await print(all)
    expect(await print(all)).toBe(before)
    expect(await print([...all].reverse())).not.toBe(before)
    folder.file('parts/4.jsonl', jsonLines(rows.slice(3000, 3002)))
    expect(await print(all)).not.toBe(before)
  })

  it('of different dimensions are refused with both names, before or during reading', async () => {
    const [first, , , , last] = parts()
    const short = folder.file('short.bvecs', bvecs([[1, 2, 3]]))
    const error = await invalidFile(openVectorFiles([first, short]))
    expect(error.message).toContain(`${short}: its vectors have 3 dimensions, ${first} has 20`)
    const lines = folder.file('short.jsonl', jsonLines([[1, 2, 3]]))
    const reading = await readUntilError(await openVectorFiles([first, lines, last]))
    expect(reading.rows).toBe(1000)
    expect(String(reading.error)).toContain(`${lines}: its vectors have 3 dimensions, ${first} has 20`)
  })

  it('with ids and without are refused with both names', async () => {
    const [first] = parts()
    const named = folder.file('named.jsonl', jsonLines(rows.slice(0, 2), ['a', 'b']))
    const { error } = await readUntilError(await openVectorFiles([first, named]))
    expect(String(error)).toContain(`${named}: its vectors have ids, the vectors of ${first} have none`)
  })

  it('fail with the name of the failing file, after all rows before it', async () => {
    const [first] = parts()
    const bad = folder.file('bad.jsonl', `${jsonLines(rows.slice(0, 3))}{]\n`)
    const { rows: got, error } = await readUntilError(await openVectorFiles([first, bad]))
    expect(got).toBe(1003)
    expect(String(error)).toContain(`${bad} at byte`)
  })
})

describe('patterns', () => {
  it('stand for the files they match, sorted', async () => {
    const all = parts()
    expect(await expandPaths([folder.file('parts/*')])).toEqual(all)
    expect(await expandPaths([folder.file('parts/[24].{jsonl,npy}'), '-'])).toEqual([all[1], all[3], '-'])
    expect((await readAll(await openVectorFiles([folder.file('parts/*')]))).rows).toEqual(rows)
  })

  it('are not patterns when a file has that name', async () => {
    const odd = folder.file('odd[1].npy', npy(rows))
    expect(await expandPaths([odd])).toEqual([odd])
  })

  it('that match nothing are refused, and so are no paths and standard input twice', async () => {
    await expect(expandPaths([folder.file('none/*.npy')])).rejects.toThrow('no file matches this pattern')
    await expect(expandPaths([folder.file('none/*.npy')])).rejects.toBeInstanceOf(PathError)
    await expect(expandPaths([])).rejects.toBeInstanceOf(InvalidOptionError)
    await expect(expandPaths(['-', '-'])).rejects.toThrow('can be read only once, and is given twice')
  })
})
