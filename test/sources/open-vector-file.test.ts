import { execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PathError } from '../../src/errors.js'
import { parquet } from '../fixtures/write-parquet.js'
import { openVectorFile, openVectorFiles } from '../../src/sources/open-vector-file.js'
import {
  bin,
  bvecs,
  fvecs,
  int32,
  invalidFile,
  jsonLines,
  npy,
  readAll,
  readUntilError,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
]

describe('a path that cannot be read is a PathError', () => {
  it('for a missing file', async () => {
    const path = folder.file('missing.fvecs')
    await expect(openVectorFile(path)).rejects.toThrow(`${path}: there is no such file`)
    await expect(openVectorFile(path)).rejects.toBeInstanceOf(PathError)
  })

  it('for a folder', async () => {
    const path = folder.file('folder.npy')
    mkdirSync(path)
    await expect(openVectorFile(path)).rejects.toThrow('it is a folder, and a file is needed')
    await expect(openVectorFile(path)).rejects.toBeInstanceOf(PathError)
  })

  it('for a file below a file', async () => {
    const path = `${folder.file('file.fvecs', fvecs(rows))}/below.fvecs`
    await expect(openVectorFile(path)).rejects.toThrow('a part of the path is a file')
  })

  it('for a file without permission', async () => {
    const path = folder.file('secret.fvecs', fvecs(rows))
    chmodSync(path, 0)
    // Root may read everything, so root becomes the user nobody for a moment.
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid?.(65534)
    try {
      await expect(openVectorFile(path)).rejects.toThrow('permission denied')
      await expect(openVectorFile(path)).rejects.toBeInstanceOf(PathError)
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  it('for a file that is gone when its pass begins', async () => {
    const file = await openVectorFile(folder.file('going.fvecs', fvecs(rows)))
    execFileSync('rm', [file.path])
    await expect(readAll(file)).rejects.toThrow('there is no such file')
  })
})

describe('the format', () => {
  it('comes from the extension in any case', async () => {
    expect((await openVectorFile(folder.file('UPPER.FVECS', fvecs(rows)))).format).toBe('fvecs')
    expect((await openVectorFile(folder.file('lines.ndjson', jsonLines(rows)))).format).toBe('json-lines')
  })

  it.each([
    ['npy', npy(rows)],
    ['json-lines', jsonLines(rows)],
  ])('of %s comes from the content before the extension', async (format, content) => {
    const file = await openVectorFile(folder.file('misnamed.fvecs', content))
    expect(file.format).toBe(format)
    expect((await readAll(file)).rows).toEqual(rows)
  })

  it('of rows without a magic number is never guessed against the name', async () => {
    const error = await invalidFile(openVectorFile(folder.file('really-bvecs.fvecs', bvecs([...rows, ...rows]))))
    expect(error.message).toContain('its name says fvecs, but its header and size fit bvecs; rename it')
  })

  it('of a file that fits no format comes from the name, whose reader says what is wrong', async () => {
    const error = await invalidFile(openVectorFile(folder.file('cut.fbin', bin('f4', rows).subarray(0, 30))))
    expect(error.message).toContain('it is truncated: header (2, 4) needs 32 bytes of data')
  })

  it('of bytes after rows and d could be u8bin or i8bin, and the name decides', async () => {
    const error = await invalidFile(openVectorFile(folder.file('bytes', bin('u1', rows))))
    expect(error.message).toContain('it could be u8bin or i8bin; name it with one of these extensions')
    expect((await openVectorFile(folder.file('bytes.i8bin', bin('u1', rows)))).format).toBe('i8bin')
  })

  it('of bvecs with d = 123, which begins like JSON, is bvecs', async () => {
    const wide = [new Array<number>(123).fill(65), new Array<number>(123).fill(66)]
    expect((await openVectorFile(folder.file('brace', bvecs(wide)))).format).toBe('bvecs')
  })

  it('is decided by the second row when the size fits fvecs and bvecs', async () => {
    // Two fvecs rows of d = 2 are as long as four bvecs rows of d = 2.
    const file = await openVectorFile(
      folder.file(
        'by-second-row',
        fvecs([
          [1, 2],
          [3, 4],
        ]),
      ),
    )
    expect(file.format).toBe('fvecs')
  })

  it('is refused when it could be fvecs or bvecs', async () => {
    // One fvecs row of d = 2, which is also two bvecs rows of d = 2.
    const both = Buffer.concat([int32(2), Buffer.from([1, 2]), int32(2), Buffer.from([3, 4])])
    const error = await invalidFile(openVectorFile(folder.file('both', both)))
    expect(error.message).toContain('it could be fvecs or bvecs')
  })

  it.each([
    ['some text', 'it has 9 bytes and begins with "some text"'],
    [
      '\x00\x00\x00\x00',
      'neither its name nor its content is of a known format: it has 4 bytes and begins with 0x00000000',
    ],
    [Buffer.from('PK\x05\x06....'), 'begins with 0x504b0506'],
    [Buffer.from('PARE....'), 'encrypted footer'],
    [Buffer.from('FEA1....'), 'pyarrow.feather.write_feather(pyarrow.feather.read_table(path), path)'],
    [Buffer.from([0x80, 4, 0x95, 1, 2, 3, 4, 5]), 'it is a pickle'],
    [Buffer.from('SQLite format 3\0'), 'sqlite3 FILE "select json_object('],
  ])('is refused when the content is unknown (%#)', async (content, reason) => {
    const error = await invalidFile(openVectorFile(folder.file('unknown', content)))
    expect(error.message).toContain(reason)
    expect(error.message).toContain('the formats are fvecs, bvecs, fbin, u8bin, i8bin, npy, npz, safetensors, parquet')
  })

  it.each([
    ['gt.ivecs', 'neighbour numbers, not vectors'],
    ['a.pkl', 'numpy.save(path, numpy.asarray(vectors'],
    ['gt.ibin', 'neighbour numbers, not vectors'],
    ['a.npz', 'it is truncated, or no zip archive'],
    ['a.npy.gz', 'only text is read compressed: decompress it first'],
  ])('is refused by the name %s', async (name, reason) => {
    const error = await invalidFile(openVectorFile(folder.file(name, fvecs(rows))))
    expect(error.message).toContain(reason)
  })
})

describe('a file changed between opening and reading', () => {
  it('in size is refused', async () => {
    const file = await openVectorFile(folder.file('grown.fvecs', fvecs(rows)))
    appendFileSync(file.path, fvecs(rows))
    const error = await invalidFile(readAll(file))
    expect(error.message).toContain('it was changed after it was opened (40 bytes then, 80 now)')
  })

  it('in content is refused', async () => {
    const file = await openVectorFile(folder.file('touched.npy', npy(rows)))
    utimesSync(file.path, 1, 1)
    const error = await invalidFile(readAll(file))
    expect(error.message).toContain('it was changed after it was opened')
  })

  it('by truncation in the middle of a pass is refused, never read as fewer rows', async () => {
    const many = Array.from({ length: 3000 }, () => new Array<number>(200).fill(1))
    const file = await openVectorFile(folder.file('shrinking.npy', npy(many)))
    let rowCount = 0
    const reading = async (): Promise<void> => {
      for await (const { vectors } of file.batches()) {
        if (rowCount === 0) truncateSync(file.path, statSync(file.path).size - 4)
        rowCount += vectors.length / 200
      }
    }
    const error = await invalidFile(reading())
    expect(error.message).toContain('it was truncated while it was read')
    expect(rowCount).toBeLessThan(3000)
  })
})

describe.runIf(existsSync('/usr/bin/mkfifo'))('a named pipe', () => {
  const pipe = (name: string): string => {
    const path = folder.file(name)
    execFileSync('mkfifo', [path])
    return path
  }

  it('is read as JSON lines, once', async () => {
    const path = pipe('vectors')
    const file = await openVectorFile(path)
    expect(file).toMatchObject({ format: 'json-lines', count: undefined, bytes: undefined })
    createWriteStream(path).end(jsonLines(rows))
    expect((await readAll(file)).rows).toEqual(rows)
    await expect(readAll(file)).rejects.toThrow('it is a pipe and was read already')
  })

  it('is refused for a format that needs a file', async () => {
    await expect(openVectorFile(pipe('vectors.npy'))).rejects.toThrow('it is a pipe, and npy needs a file')
  })

  it('can hold the ids, whose count is compared at the end', async () => {
    const ids = pipe('ids')
    const file = await openVectorFile(folder.file('two.fvecs', fvecs(rows)), { ids })
    createWriteStream(ids).end('a\nb\nc\n')
    const { error } = await readUntilError(file)
    expect(String(error)).toContain('it has 3 ids, expected 2')
  })
})

describe('standard input', () => {
  it('is read as JSON lines from -, and the process ends when the loop is left early', async () => {
    const source = fileURLToPath(new URL('../../src/sources/open-vector-file.ts', import.meta.url))
    const code = `
      import { openVectorFile } from ${JSON.stringify(source)}
      const file = await openVectorFile('-')
      let rows = 0
      for await (const { vectors, dimensions } of file.batches()) {
        rows += vectors.length / dimensions
        if (rows > 1000) break
      }
      process.stdout.write(String(rows))`
    const run = async (lines: number, end: boolean): Promise<{ code: unknown; rows: number }> => {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      // A reader that stops early makes the rest of the write fail, as it should.
      child.stdin.on('error', () => undefined)
      child.stdin.write('{"vector":[1,2,3]}\n'.repeat(lines))
      if (end) child.stdin.end()
      let out = ''
      child.stdout.on('data', (text: Buffer) => (out += text.toString()))
      const [status] = (await once(child, 'close')) as [number | null]
      return { code: status, rows: Number(out) }
    }
    expect(await run(500, true)).toEqual({ code: 0, rows: 500 })
    const early = await run(200_000, false)
    expect(early.code).toBe(0)
    expect(early.rows).toBeGreaterThan(1000)
    expect(early.rows).toBeLessThan(200_000)
  })
})

describe('a place that is no file', () => {
  it.each([
    [
      'https://example.com/a.parquet',
      'it is a URL, and a file is needed; download it first (curl -LO https://example.com',
    ],
    ['s3://bucket/a.parquet', 'download it first (aws s3 cp s3://bucket/a.parquet .)'],
    ['hf://datasets/a', 'it is a URL, and a file is needed; download it first'],
    ['file:///a.npy', 'pass the path in place of the URL'],
  ])('such as %s is refused with the way to it', async (place, message) => {
    await expect(openVectorFile(place)).rejects.toThrow(message)
    await expect(openVectorFiles([place])).rejects.toThrow(message)
  })

  it('is a folder of Parquet with partitions, whose pattern is named', async () => {
    const base = path.dirname(folder.file('x'))
    mkdirSync(path.join(base, 'table/year=2024'), { recursive: true })
    writeFileSync(path.join(base, 'table/year=2024/part-0.parquet'), parquet(rows))
    const pattern = path.join(base, 'table/**/*.parquet')
    await expect(openVectorFile(path.join(base, 'table'))).rejects.toThrow(
      `name its files with a pattern: '${pattern}'`,
    )
    expect((await readAll(await openVectorFiles([pattern]))).rows).toHaveLength(rows.length)
  })
})
