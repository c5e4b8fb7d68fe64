import { gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readIdLines } from '../../src/sources/lines/read-id-lines.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import {
  fvecs,
  invalidFile,
  jsonLines,
  npy,
  openHandles,
  readAll,
  readUntilError,
  temporaryFolder,
  zstdRaw,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = Array.from({ length: 60 }, (_, i) => Array.from({ length: 16 }, (__, j) => (i * 31 + j * 7) % 127))
const ids = rows.map((_, i) => String(i))

/** `rows` and `ids` as JSON lines, by zstd 1.5 at level 19, with a checksum. */
const BY_ZSTD = Buffer.from(
  'KLUv/QRoXRIA1h4+FpCpmgMT/33RL9vMJ9vd3d2rsSfTa04/ADIAMwC2mOSySK92jN7olB8e+NxmZy110Th3CtAwUNExb0743XGPbXXSQteMcmXqdwgEHBIQFAgMFg4f4hBwKDg4MARPbXTOMpeMvZ0mKfUm++qoh7Y5ZZGr473Sqf2iR/TJCXpmk7NLr0s6tredol8e+eB2Zwtet5SNdWuiS/PJIU+PziPd2jN65pIXjjeiXZvqo+/mmEe2brZJz3ZpL4leOeLF6T47LAANA4lnRSONxLOikQYlnhWNNBLPikYaidKvPdon+k1ueN5ym9hVI126OpN8PTrFIX3aLfpYnhiA16iBXuXTQvY5kCoGg1MHEhhBIEOHFxIi/J9wH0kRs2g5VBBlTWzA3CjuWGAXQsoRecGklmWgbtYJiLFkLnnUoBiIzUKq6cgLGiADtdlWQIkVxZ9NKQ0QYQPkXInYnFKETJIdhSUrciEIARU2IHNLMRAhMyELekN3gBg7aHL0gBIWbpOaWipHihHhsqgb2gcosocupxCIsHCZdGpAoDYKFVjWWIaAmIG+bC4gyMLaBFRTBcnoUwRMyppimpUmpH27AGrs8OU1xcrU5p4ilgXJ0FIGZ4dsrjiKQ1YsQyHMQL0MUtkzMxs7ahQNpM4GQVUxNIND+ZCN5n9EQjHKil/4J69mAxgHnImhIMrFWJoEdz1pEstQkcyGWH5fIsFYEWYT1haBCoawgUBB/+z1p+wi8X6rUrIcwNqJZEK9eNKDcjvMIOOmMLNqxnJjmQUCOFUyVVyn',
  'base64',
)

const many = Array.from({ length: 4000 }, (_, i) => Array.from({ length: 40 }, (__, j) => Math.fround(Math.sin(i + j))))

describe('compressed JSON lines', () => {
  it('are read as zstd writes them', async () => {
    expect(await readAll(await openVectorFile(folder.file('a.jsonl.zst', BY_ZSTD)))).toEqual({ rows, ids })
  })

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdRaw],
  ])('with %s are detected by content under any name, and from standard input', async (_, compress) => {
    const content = compress(jsonLines(rows, ids))
    expect(await readAll(await openVectorFile(folder.file('plain-name', content)))).toEqual({ rows, ids })
    expect(await readAll(await openVectorFile(folder.file('plain.jsonl', content)))).toEqual({ rows, ids })
    // One byte at a time: the first bytes may arrive separately.
    const stdin = Readable.from(Array.from(content, (byte) => Uint8Array.of(byte)))
    expect(await readAll(await openVectorFile('-', { stdin }))).toEqual({ rows, ids })
  })

  it.each([
    ['gzip members', gzipSync],
    ['zstd frames', zstdRaw],
  ])('in several %s are read to the end', async (_, compress) => {
    const content = Buffer.concat([compress(jsonLines(rows)), compress(jsonLines(many)), compress(jsonLines(rows))])
    const read = await readAll(await openVectorFile(folder.file('several', content)))
    expect(read.rows).toEqual([...rows, ...many, ...rows])
  })

  it('with zstd may have skippable frames', async () => {
    const skipped = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
    const content = Buffer.concat([BY_ZSTD, skipped, BY_ZSTD])
    expect((await readAll(await openVectorFile(folder.file('skip', content)))).rows).toEqual([...rows, ...rows])
  })

  it.each([
    ['gzip', gzipSync(jsonLines(many), { level: 1 }), 'it is truncated: its gzip data has no end'],
    ['zstd', zstdRaw(jsonLines(many)), 'it is truncated in its zstd data'],
  ])('that are cut with %s give the rows before, and an error', async (_, content, message) => {
    const path = folder.file('cut.jsonl', content.subarray(0, content.length - 1000))
    const { rows: got, error } = await readUntilError(await openVectorFile(path))
    expect(got).toBeGreaterThan(1000)
    expect(got).toBeLessThan(4000)
    expect(String(error)).toContain(path)
    expect(String(error)).toContain(message)
  })

  it('with gzip whose bytes are damaged are refused by their checksum', async () => {
    const content = gzipSync(jsonLines(many), { level: 0 })
    content[content.length - 1000] ^= 1
    const { error } = await readUntilError(await openVectorFile(folder.file('flipped', content)))
    expect(String(error)).toMatch(/its gzip data is damaged \(incorrect data check\)|is not JSON|is no number/)
  })

  it.each([
    ['gzip', gzipSync(jsonLines(rows)), /its gzip data is (followed by something else|damaged)/],
    // Node.js ignores trailing data that begins with a zero.
    [
      'gzip and a zero',
      Buffer.concat([gzipSync(jsonLines(rows)), Buffer.of(0)]),
      /its gzip data is followed by something else/,
    ],
    ['zstd', BY_ZSTD, /zstd data is followed by something else/],
  ])('with %s and other data after it are refused, not read in part', async (_, content, message) => {
    const path = folder.file('tail.jsonl', Buffer.concat([content, Buffer.from('{"vector":[1,2]}\n')]))
    const reading = openVectorFile(path).then((file) => readAll(file))
    expect((await invalidFile(reading)).message).toMatch(message)
  })

  it.each([
    [
      'a window of 2 GiB',
      [0x00, 0xa8],
      'needs a window of 2147483648 bytes, expected at most 33554432; compress it without',
    ],
    ['a content of 2^63 bytes in one segment', [0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80], 'needs a window of'],
    ['a dictionary', [0x01, 0x38, 7], 'needs a dictionary'],
    ['a block of an unknown type', [0x00, 0x38, 0x06, 0, 0], 'an impossible block'],
    ['a block of 2 MiB', [0x00, 0x38, 0xfc, 0xff, 0xff], 'an impossible block'],
  ])('with zstd that asks for %s are refused', async (_, header, message) => {
    const content = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...header, ...new Array<number>(20).fill(0)])
    const error = await invalidFile(openVectorFile(folder.file('hostile.zst', content)))
    expect(error.message).toContain(message)
  })

  it('may be much longer than their file, which is read in pieces', async () => {
    const blank = Buffer.alloc(200e6, `${' '.repeat(99_999)}\n`)
    const path = folder.file('bomb.jsonl.gz', Buffer.concat([gzipSync(blank), gzipSync(jsonLines(rows))]))
    expect((await readAll(await openVectorFile(path))).rows).toEqual(rows)
  })

  it.each([
    ['gzip', gzipSync(jsonLines(many), { level: 1 })],
    ['zstd', zstdRaw(jsonLines(many))],
  ])('with %s close their file when the consumer leaves', async (_, content) => {
    const path = folder.file('left', content)
    for await (const batch of (await openVectorFile(path)).batches()) {
      expect(batch.dimensions).toBe(40)
      break
    }
    expect(openHandles(path)).toBe(0)
  })

  it('are the only format that is read compressed', async () => {
    const error = await invalidFile(openVectorFile(folder.file('compressed', gzipSync(npy(rows)))))
    expect(error.message).toContain('it is compressed with gzip, and is npy inside; only text is read compressed')
    const other = await invalidFile(openVectorFile(folder.file('compressed', gzipSync(fvecs(rows)))))
    expect(other.message).toContain('and is not text: 0x10000000')
  })
})

describe('compressed ids', () => {
  const readIds = async (path: string): Promise<unknown[]> => {
    const read: unknown[] = []
    for await (const batch of readIdLines(path)) read.push(...batch)
    return read
  }

  it('are read as text, and as JSON by the name before the compression', async () => {
    expect(await readIds(folder.file('ids.txt.gz', gzipSync('1\n2\n')))).toEqual(['1', '2'])
    expect(await readIds(folder.file('ids.jsonl.gz', gzipSync('1\n"2"\n')))).toEqual([1, '2'])
    expect(await readIds(folder.file('ids.jsonl.zst', zstdRaw('1\n"2"\n')))).toEqual([1, '2'])
  })
})
