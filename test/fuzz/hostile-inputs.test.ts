/** Vector, id and ground-truth files that are damaged or hostile. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidFileError, PathError, ShardloomError } from '../../src/errors.js'
import { readIdLines } from '../../src/sources/lines/read-id-lines.js'
import { readIvecs } from '../../src/sources/rows/read-ivecs.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import type { VectorFile } from '../../src/sources/vector-file.js'
import { arrow } from '../fixtures/write-arrow.js'
import { hdf5 } from '../fixtures/write-hdf5.js'
import { npz, safetensors } from '../fixtures/write-tensors.js'
import { csvOfColumns, csvOfTexts, jsonArray, word2vec, wordLines } from '../fixtures/write-texts.js'
import { parquet } from '../fixtures/write-parquet.js'
import {
  bin,
  bvecs,
  float32,
  fvecs,
  int32,
  ivecs,
  jsonLines,
  npy,
  npyHeader,
  npyOf,
  npyWith,
  openHandles,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'
import { canCap, readCapped } from './capped-child.js'
import { damage, HOSTILE_WORDS, outcome, refusal } from './damage.js'
import { runs, WHOLE } from '../whole.js'

const isWindows = process.platform === 'win32'
const folder = temporaryFolder()
const rows = Array.from({ length: 40 }, (_, row) => Array.from({ length: 6 }, (__, d) => (row * 37 + d * 11) % 251))

interface Given {
  readonly rows: number[][]
  readonly ids: unknown[]
  readonly failure: ShardloomError | undefined
}

/** The rows of a file until it ends or fails. */
async function readThrough(open: Promise<VectorFile>): Promise<Given> {
  const given: { rows: number[][]; ids: unknown[] } = { rows: [], ids: [] }
  const pass = async (): Promise<void> => {
    const file = await open
    for await (const { vectors, dimensions, ids } of file.batches()) {
      expect(Number.isInteger(vectors.length / dimensions)).toBe(true)
      expect(ids?.length ?? vectors.length / dimensions).toBe(vectors.length / dimensions)
      for (let at = 0; at < vectors.length; at += dimensions)
        given.rows.push([...vectors.subarray(at, at + dimensions)])
      given.ids.push(...(ids ?? []))
    }
  }
  const failure = await outcome(pass())
  return { ...given, failure: failure instanceof ShardloomError ? failure : undefined }
}

/** A failure names this file and a place in it; a file without a failure is whole. */
function checkFailure({ failure }: Given, file: string): void {
  if (failure === undefined) return
  expect(failure).toBeInstanceOf(InvalidFileError)
  expect(failure.message).toMatch(new RegExp(`^${file}( at byte \\d+)?: `))
  expect(failure.message.length).toBeLessThan(1000)
}

describe.each([
  ['fvecs', fvecs(rows)],
  ['bvecs', bvecs(rows)],
  ['npy', npy(rows)],
  ['npy', npyOf('<f2', rows)],
  ['npy', npyOf('<f8', rows)],
  ['parquet', parquet(rows, { rowGroupSize: 16, pageSize: 200 })],
  ['parquet', parquet(rows, { codec: 'UNCOMPRESSED' })],
  ['arrow', arrow(rows, { batchRows: 16 })],
  ['arrow', arrow(rows, { list: 'list', format: 'stream', batchRows: 16 })],
  ['arrow', arrow(rows, { list: 'list', batchRows: 16, compression: 'lz4' })],
  ['arrow', arrow(rows, { batchRows: 16, compression: 'zstd' })],
  ['hdf5', hdf5({ train: rows })],
  ['npz', npz(rows)],
  ['npz', npz(rows, true)],
  ['safetensors', safetensors(rows)],
  ['fbin', bin('f4', rows)],
  ['u8bin', bin('u1', rows)],
  [
    'i8bin',
    bin(
      'i1',
      rows.map((row) => row.map((value) => value - 128)),
    ),
  ],
  ['jsonl', Buffer.from(jsonLines(rows))],
  [
    'jsonl',
    Buffer.from(
      jsonLines(
        rows,
        rows.map((_, row) => (row % 2 === 0 ? `id ${row}é` : row)),
      ),
    ),
  ],
  ['json', Buffer.from(jsonArray(rows))],
  ['csv', Buffer.from(csvOfTexts(rows))],
  ['csv', Buffer.from(csvOfColumns(rows))],
  ['vec', Buffer.from(wordLines(rows, true))],
  ['glove', Buffer.from(wordLines(rows, false))],
  ['w2v', word2vec(rows)],
  ['unnamed', fvecs(rows)],
])('a damaged %s file', (extension, whole) => {
  it('is refused with its place, and its rows come from its bytes', async () => {
    const file = folder.file(`damaged.${extension}`)
    await fc.assert(
      fc.asyncProperty(damage, async (hurt) => {
        const bytes = hurt(whole)
        writeFileSync(file, bytes)
        const given = await readThrough(openVectorFile(file))
        checkFailure(given, file)
        // No row comes from memory that an earlier row left.
        const components = given.rows.reduce((sum, row) => sum + row.length, 0)
        expect(components).toBeLessThanOrEqual(bytes.length)
        if (given.failure === undefined && extension === 'fvecs') expect(fvecs(given.rows)).toEqual(bytes)
        if (given.failure === undefined && extension === 'bvecs') expect(bvecs(given.rows)).toEqual(bytes)
        if (given.failure === undefined && extension === 'u8bin') expect(bin('u1', given.rows)).toEqual(bytes)
      }),
      { numRuns: runs(250), seed: 31 },
    )
  })
})

describe('a row that a bit flip makes longer or shorter', () => {
  it.each([
    ['fvecs', fvecs, 28],
    ['bvecs', bvecs, 10],
  ] as const)('ends a %s file exactly there', async (extension, write, rowBytes) => {
    const file = folder.file(`flipped.${extension}`)
    for (const row of [1, 7, 39]) {
      for (const d of [...HOSTILE_WORDS, 5, 7]) {
        const bytes = write(rows)
        bytes.writeUInt32LE(d, row * rowBytes)
        writeFileSync(file, bytes)
        const given = await readThrough(openVectorFile(file))
        expect(given.rows).toEqual(rows.slice(0, row))
        expect(given.failure?.message).toContain(`at byte ${row * rowBytes}: row ${row} has d = ${d | 0}, expected 6`)
      }
    }
  })
})

describe('damaged ids', () => {
  it('are refused with their place, or are as many as the vectors', async () => {
    const vectors = folder.file('ids.fvecs', fvecs(rows))
    const ids = folder.file('ids.txt')
    const whole = Buffer.from(rows.map((_, row) => `id ${row}é\n`).join(''))
    await fc.assert(
      fc.asyncProperty(damage, async (hurt) => {
        writeFileSync(ids, hurt(whole))
        const given = await readThrough(openVectorFile(vectors, { ids }))
        checkFailure(given, ids)
        if (given.failure === undefined) expect(given.ids).toHaveLength(rows.length)
        for (const id of given.ids) expect(id).not.toBe('')
      }),
      { numRuns: runs(250), seed: 32 },
    )
  })

  it.each<[string, Buffer, RegExp]>([
    ['bytes that are not UTF-8', Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a]), /at byte 2: line 2 is not UTF-8 text/],
    ['half a surrogate pair in UTF-8', Buffer.from([0xed, 0xa0, 0x80, 0x0a]), /at byte 0: line 1 is not UTF-8 text/],
    ['a UTF-16 file', Buffer.from('\ufeffa\nb\n', 'utf16le'), /at byte 0: line 1 is not UTF-8 text/],
    ['one id of 2 MB', Buffer.alloc(2e6, 0x61), /at byte 0: line 1 is longer than 1048576 bytes/],
    ['an empty line', Buffer.from('a\n\nb\n'), /at byte 2: line 2 is empty/],
  ])('with %s are refused there', async (_, bytes, message) => {
    const file = folder.file('bad-ids.txt', bytes)
    const reading = async (): Promise<void> => {
      for await (const ids of readIdLines(file)) expect(ids.length).toBeGreaterThan(0)
    }
    expect((await refusal(reading(), file)).message).toMatch(message)
  })
})

describe('ground truth', () => {
  it('that is damaged is refused with its place, or comes from its bytes', async () => {
    const file = folder.file('damaged.ivecs')
    await fc.assert(
      fc.asyncProperty(damage, async (hurt) => {
        const bytes = hurt(ivecs(rows))
        writeFileSync(file, bytes)
        const read = await outcome(readIvecs(file))
        if (read instanceof Error) {
          expect(read).toBeInstanceOf(InvalidFileError)
          expect(read.message).toContain(file)
        } else {
          const { count, dimensions } = read
          const found = Array.from({ length: count }, (_, row) => [
            ...read.rows.subarray(row * dimensions, (row + 1) * dimensions),
          ])
          expect(ivecs(found)).toEqual(bytes)
        }
      }),
      { numRuns: runs(250), seed: 33 },
    )
  })
})

describe('a lying header', () => {
  const huge = ['2147483647', '2147483648', '4294967296', '9007199254740993', '9'.repeat(400)]
  const shapes = [
    ...huge.map((n) => `(${n}, 6)`),
    ...huge.map((n) => `(40, ${n})`),
    ...huge.map((n) => `(${n}, ${n})`),
    '(-1, 6)', '(40, -6)', '(0, 6)', '(40, 0)', '(0, 0)', '(40,)', '()', '(40, 6, 1)', '(4e1, 6)', '(40.0, 6)', '(0x28, 6)',
    '[40, 6]', '(40 6)', "('40', '6')", '((40, 6))', `${'('.repeat(30_000)}40, 6${')'.repeat(30_000)}`, '(40, 6', '240', 'None',
    `(${'1, '.repeat(20_000)})`, '(١٠, 6)', '(40, 6)}, {',
  ] // prettier-ignore

  it.each(shapes.map((shape) => [shape.length > 40 ? `${shape.slice(0, 40)}…` : shape, shape]))(
    'of npy as shape %s is refused',
    async (_, shape) => {
      const file = folder.file('lying.npy', npyWith(npyHeader(shape), float32(rows.flat()), 2))
      const given = await readThrough(openVectorFile(file))
      if (shape === '(0, 6)') expect(given.failure?.message).toContain('longer than its shape says')
      expect(given.failure).toBeInstanceOf(InvalidFileError)
      expect(given.rows).toEqual([])
      checkFailure(given, file)
    },
  )

  it.each([
    ["'<i8'", 'False', "astype('<f4')"],
    ["'<f8'", 'False', 'truncated'],
    ["'|O'", 'False', 'expected one of f2'],
    ["[('a', '<f4')]", 'False', 'expected one of f2'],
    ["'" + 'x'.repeat(50_000) + "'", 'False', 'expected one of f2'],
    ["'<f4'", '1', 'neither True nor False'],
    ["'<f4'", "__import__('os')", 'cannot be read'],
    ["'<f4', 'descr': '<f4'", 'False', 'given twice'],
    ["'<f4', '__proto__': {}", 'False', 'expected the keys'],
  ])('of npy as dtype %.20s and order %s is refused', async (descr, order, message) => {
    const file = folder.file('lying.npy', npyWith(npyHeader('(40, 6)', descr, order), float32(rows.flat()), 2))
    const given = await readThrough(openVectorFile(file))
    expect(given.failure?.message).toContain(message)
    checkFailure(given, file)
  })

  it('of npy that claims any length is refused', async () => {
    const whole = npy(rows, 2)
    for (const claimed of HOSTILE_WORDS) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt32LE(claimed, 8)
      const file = folder.file('lying.npy', bytes)
      expect((await readThrough(openVectorFile(file))).failure).toBeInstanceOf(InvalidFileError)
    }
  })

  it.each(['fbin', 'u8bin', 'i8bin'])(
    'of %s with any rows and d is refused, or matches the bytes',
    async (extension) => {
      for (const count of HOSTILE_WORDS) {
        for (const d of HOSTILE_WORDS) {
          const bytes = int32(count | 0, d | 0, 1, 2, 3, 4)
          const file = folder.file(`lying.${extension}`, bytes)
          const { rows: got, failure } = await readThrough(openVectorFile(file))
          if (failure === undefined) expect(got.length * d * (extension === 'fbin' ? 4 : 1)).toBe(16)
          else checkFailure({ rows: got, ids: [], failure }, file)
        }
      }
    },
  )

  it.each(['fvecs', 'bvecs', 'ivecs'])('of %s with any d is refused, or matches the bytes', async (extension) => {
    for (const d of HOSTILE_WORDS) {
      const bytes = int32(d | 0, 1, 2, 3, 4)
      const file = folder.file(`lying.${extension}`, bytes)
      const count =
        extension === 'ivecs'
          ? readIvecs(file).then((read) => read.count)
          : readThrough(openVectorFile(file)).then(({ rows: got, failure }) => failure ?? got.length)
      const got = await outcome<number | ShardloomError>(count)
      if (got instanceof Error) expect(got).toBeInstanceOf(InvalidFileError)
      else expect(got * (4 + d * (extension === 'bvecs' ? 1 : 4))).toBe(bytes.length)
    }
  })
})

describe('hostile JSON lines', () => {
  const good = '{"id":"a","vector":[1,2]}\n'
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

  it.each<[string, string | Buffer, string]>([
    ['100,000 brackets', deep(100_000), 'line 2 has an array at element[0]'],
    ['100,000 brackets as the vector', `{"vector":${deep(100_000)}}`, 'line 2 has an array at vector[0]'],
    ['80,000 objects', `${'{"vector":'.repeat(80_000)}1${'}'.repeat(80_000)}`, 'line 2 has an object as "vector"'],
    ['2 MB of brackets', deep(1_000_000), 'line 2 is nested deeper than 1000'],
    ['brackets that never close', '['.repeat(500_000), 'line 2 is not JSON'],
    ['a vector in a prototype', '{"__proto__":{"vector":[1,2]}}', 'line 2 has no "vector"'],
    ['an object for a number', '{"vector":[{"valueOf":1},2]}', 'line 2 has an object at vector[0]'],
    ['text for a number', '{"vector":["1",2]}', 'line 2 has a string at vector[0]'],
    ['null for a number', '{"vector":[null,2]}', 'line 2 has null at vector[0]'],
    ['NaN', '{"vector":[NaN,2]}', 'line 2 is not JSON'],
    ['an object as vector', '{"vector":{"length":4294967295}}', 'line 2 has an object as "vector"'],
    ['more numbers than a vector has', `{"vector":[${'1,'.repeat(65_536)}1]}`, 'line 2 has 65537 numbers'],
    ['an id that is an object', '{"id":{"toString":1},"vector":[1,2]}', 'line 2 has an object as "id"'],
    ['an id of 400 digits', `{"id":${'9'.repeat(400)},"vector":[1,2]}`, 'line 2 has the id Infinity'],
    ['NUL bytes', '\0\0\0\0', 'line 2 is not JSON'],
    ['a NUL after the record', '{"vector":[1,2]}\0', 'line 2 is not JSON'],
    ['a byte order mark inside the file', '\ufeff{"vector":[1,2]}', 'line 2 is not JSON'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'line 2 is not UTF-8 text'],
    ['half a surrogate pair in UTF-8', Buffer.from('{"id":"\xed\xa0\x80","vector":[1,2]}', 'latin1'), 'not UTF-8 text'],
    ['UTF-16', Buffer.from('{"vector":[1,2]}', 'utf16le'), 'line 2 is not JSON'],
    [
      '1.5 million empty texts',
      `{"x":[${'"",'.repeat(1_500_000)}""],"vector":[1,2]}`,
      'line 2 has more than 1000000 values',
    ],
  ])('as %s give the rows before, and are refused there', async (_, line, message) => {
    const file = folder.file(
      'bad.jsonl',
      Buffer.concat([Buffer.from(good), Buffer.from(line), Buffer.from(`\n${good}`)]),
    )
    const given = await readThrough(openVectorFile(file))
    expect(given.rows).toEqual([[1, 2]])
    expect(given.failure?.message).toContain(message)
    expect(given.failure?.message).toContain(`at byte ${good.length}`)
    checkFailure(given, file)
    expect(Object.prototype).not.toHaveProperty('vector')
  })

  it('give numbers beyond float32 as infinity, which a build refuses', async () => {
    const file = folder.file('far.jsonl', '{"vector":[1e999,-1e999,1e39,1e-999,-0]}\n')
    const given = await readThrough(openVectorFile(file))
    expect(given).toMatchObject({ rows: [[Infinity, -Infinity, Infinity, 0, -0]], failure: undefined })
  })

  it('give an escaped lone surrogate unchanged, which a build refuses as an id', async () => {
    const file = folder.file('half.jsonl', '{"id":"\\ud800","vector":[1]}\n')
    expect((await readThrough(openVectorFile(file))).ids).toEqual(['\ud800'])
  })

  it('with a byte order mark at the front, blank lines and carriage returns are read', async () => {
    const file = folder.file('bom.jsonl', `\ufeff${good.trim()}\r\n\r\n  \n${good}`)
    expect((await readThrough(openVectorFile(file))).ids).toEqual(['a', 'a'])
  })
})

const OTHER_THAN_FILES: readonly [string, (name: string) => string][] = [
  ['a folder', (name) => { const file = folder.file(name); mkdirSync(file, { recursive: true }); return file }],
  ['a link to nowhere', (name) => link(name, '/nowhere/at/all')],
  ['a link to itself', (name) => link(name, folder.file(name))],
] // prettier-ignore

function link(name: string, to: string): string {
  const file = folder.file(name)
  symlinkSync(to, file)
  return file
}

describe.skipIf(isWindows)('an input that is not a file', () => {
  it.each(OTHER_THAN_FILES)('but %s is refused in every format', async (what, make) => {
    for (const extension of [
      'fvecs',
      'bvecs',
      'npy',
      'fbin',
      'u8bin',
      'i8bin',
      'parquet',
      'arrow',
      'jsonl',
      'unnamed',
    ]) {
      const file = make(`${what.replaceAll(' ', '-')}.${extension}`)
      expect(await refusal(openVectorFile(file), file)).toBeInstanceOf(PathError)
    }
    const truth = make(`${what.replaceAll(' ', '-')}.ivecs`)
    expect(await refusal(readIvecs(truth), truth)).toBeInstanceOf(PathError)
    const vectors = folder.file('no-file.fvecs', fvecs(rows))
    const ids = make(`${what.replaceAll(' ', '-')}.txt`)
    expect(await refusal(openVectorFile(vectors, { ids }), ids)).toBeInstanceOf(PathError)
  })

  it.each(['fvecs', 'bvecs', 'npy', 'fbin'])(
    'but a named pipe or a device is refused as %s, unopened',
    async (extension) => {
      const pipe = folder.file(`pipe.${extension}`)
      execFileSync('mkfifo', [pipe])
      expect((await refusal(openVectorFile(pipe), pipe)).message).toContain('only JSON lines can come from a pipe')
      const zeros = link(`zeros.${extension}`, '/dev/zero')
      expect((await refusal(openVectorFile(zeros), zeros)).message).toContain('only JSON lines can come from a pipe')
    },
  )

  it('but a named pipe or a device is refused as ground truth', async () => {
    const zeros = link('zeros.ivecs', '/dev/zero')
    expect((await refusal(readIvecs(zeros), zeros)).message).toContain('ivecs needs a file')
    const pipe = folder.file('pipe.ivecs')
    execFileSync('mkfifo', [pipe])
    expect((await refusal(readIvecs(pipe), pipe)).message).toContain('ivecs needs a file')
  })
})

describe.skipIf(isWindows)('a named pipe without a writer', () => {
  it.each([
    ['vectors', (pipe: string) => openVectorFile(pipe)],
    ['ids', (pipe: string) => openVectorFile(folder.file('with-pipe.fvecs', fvecs(rows)), { ids: pipe })],
  ])('is waited for as %s until the file is closed', async (name, open) => {
    const pipe = folder.file(`idle-${name}`)
    execFileSync('mkfifo', [pipe])
    const file = await open(pipe)
    const given = readThrough(Promise.resolve(file))
    await sleep(100)
    await outcome(file.close())
    expect((await given).rows).toEqual([])
    expect(openHandles(pipe)).toBe(0)
  })
})

describe.runIf(canCap && WHOLE)('in 300 MB of memory', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['endless zeros as JSON lines', () => readCapped('vectors', '/dev/zero'), /line 1 is longer than 67108864 bytes/],
    [
      'endless zeros as ids',
      () => readCapped('vectors', folder.file('cap.fvecs', fvecs(rows)), '/dev/zero'),
      /line 1 is longer than 1048576 bytes/,
    ],
    [
      'a line of 3 GB',
      () => readCapped('vectors', sparse('cap.jsonl', Buffer.from('{"vector":['))),
      /line 1 is longer than 67108864 bytes/,
    ],
    [
      'fvecs of 3 GB',
      () => readCapped('vectors', sparse('cap3.fvecs', int32(65_536), 4 + 4 * 65_536)),
      /row 1 has d = 0, expected 65536/,
    ],
    [
      'bvecs of 3 GB',
      () => readCapped('vectors', sparse('cap3.bvecs', int32(65_536), 4 + 65_536)),
      /row 1 has d = 0, expected 65536/,
    ],
    [
      'ground truth of 3 GB',
      () => readCapped('ivecs', sparse('cap3.ivecs', int32(100), 404)),
      /bytes of numbers, expected at most 268435456/,
    ],
    [
      'ground truth of 30 GB',
      () => readCapped('ivecs', sparse('cap30.ivecs', int32(100), 404, 3e10)),
      /bytes of numbers, expected at most 268435456/,
    ],
    [
      'npy of 2^31 rows',
      () => readCapped('vectors', folder.file('cap.npy', npyWith(npyHeader('(2147483648, 6)'), Buffer.alloc(24)))),
      /truncated/,
    ],
    [
      'npy with a header of 4 GB',
      () => readCapped('vectors', sparse('cap4.npy', Buffer.from('\x93NUMPY\x02\0\xff\xff\xff\xff', 'latin1'))),
      /claims 4294967295 bytes/,
    ],
  ])('%s are refused', async (_, read, message) => {
    expect(await read()).toMatchObject({ failure: { message: expect.stringMatching(message) as string } })
  })

  it('a journal of 60 MB of brackets is ignored', async () => {
    const json = `{"kind":"routing","digest":${'['.repeat(3e7)}${']'.repeat(3e7)}}`
    const crc = execFileSync(
      process.execPath,
      [
        '-e',
        'let s=[];process.stdin.on("data",d=>s.push(d)).on("end",()=>process.stdout.write(require("zlib").crc32(Buffer.concat(s)).toString(16).padStart(8,"0")))',
      ],
      { input: json },
    )
    const file = folder.file('journal', `${crc.toString()} ${json}\n`)
    expect(await readCapped('journal', file)).toEqual({ rows: -1 })
  })

  it('a spill file of 500 MB of zeros has no batches', async () => {
    expect(await readCapped('spill', sparse('cap.spill', Buffer.alloc(0), 1, 5e8))).toEqual({ rows: 0 })
  })
})

/** A large sparse file: `front`, then zeros, a multiple of `unit` bytes long. */
function sparse(name: string, front: Buffer, unit = 1, bytes = 3e9): string {
  const file = folder.file(name, front)
  truncateSync(file, Math.floor(bytes / unit) * unit)
  expect(path.basename(file)).toBe(name)
  return file
}
