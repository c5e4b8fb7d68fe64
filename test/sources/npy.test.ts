import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidFileError } from '../../src/errors.js'
import { parseNpyHeader } from '../../src/sources/rows/npy-header.js'
import { openVectorFile } from '../../src/sources/open-vector-file.js'
import {
  float32,
  invalidFile,
  npy,
  npyHeader,
  npyWith,
  readAll,
  temporaryFolder,
} from '../fixtures/write-vector-files.js'

const folder = temporaryFolder()
const rows = [
  [1.5, -2.25, 3],
  [4, 5, 6.125],
]
const data = float32(rows.flat())

const refusal = (content: Uint8Array | string): Promise<InvalidFileError> =>
  invalidFile(openVectorFile(folder.file('refused.npy', content)))

describe('an npy file', () => {
  it.each([1, 2, 3])('of version %i is read', async (version) => {
    const file = await openVectorFile(folder.file('good.npy', npy(rows, version)))
    expect((await readAll(file)).rows).toEqual(rows)
  })

  it.each([
    ['other key order and quotes', `{"shape": (2, 3), "descr": "<f4", "fortran_order": False}`],
    ['no blanks', `{'descr':'<f4','fortran_order':False,'shape':(2,3)}`],
    ['the long integers of Python 2', `{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L,), }`],
  ])('whose header has %s is read', async (_, header) => {
    const file = await openVectorFile(folder.file('header.npy', npyWith(header, data)))
    expect((await readAll(file)).rows).toEqual(rows)
  })

  it('of no rows is read as no rows', async () => {
    const file = await openVectorFile(folder.file('none.npy', npyWith(npyHeader('(0, 3)'), Buffer.alloc(0))))
    expect(file).toMatchObject({ count: 0, dimensions: 3 })
    expect((await readAll(file)).rows).toEqual([])
  })

  it('without the magic number is refused with the bytes found', async () => {
    const error = await refusal('not npy at all')
    expect(error.message).toContain('at byte 0: it is not npy: expected the first bytes 934e554d5059, got 6e6f74206e70')
  })

  it('of an unknown version is refused', async () => {
    expect((await refusal(npyWith(npyHeader('(2, 3)'), data, 4))).message).toContain('npy version 4.0 is unknown')
  })

  const astype = "numpy.save(path, array.astype('<f4'))"
  it.each([
    ["'<i8'", '<i8', astype],
    ["'|b1'", '|b1', astype],
    ["'|f4'", '|f4', astype],
    ["'<c8'", '<c8', 'numpy.save(path, array.view(array.real.dtype))'],
    ["'<U5'", '<U5', 'it holds text'],
    ["'|O'", '|O', "numpy.save(path, numpy.stack([numpy.asarray(row, '<f4') for row in array]))"],
    ["[('x', '<f4'), ('y', '<f4')]", '[(x,<f4),(y,<f4)]', "structured_to_unstructured(array, '<f4')"],
    ["[('id', '<i4'), ('v', '<f4', (12,))]", '[(id,<i4),(v,<f4,(12,))]', "array['v'].astype('<f4')"],
  ])('of dtype %s is refused with the conversion', async (descr, shown, hint) => {
    const error = await refusal(npyWith(npyHeader('(2, 3)', descr), data))
    expect(error.message).toContain(`its dtype is '${shown}', expected one of f2, f4, f8, i1, u1, i2, u2`)
    expect(error.message).toContain(hint)
  })

  it.each([
    ['()', '(), 0-dimensional'],
    ['(6,)', '(6,), 1-dimensional'],
    ['(1, 2, 3)', '(1, 2, 3), 3-dimensional'],
  ])('of shape %s is refused', async (shape, shown) => {
    const error = await refusal(npyWith(npyHeader(shape), data))
    expect(error.message).toContain(`its shape is ${shown}, expected 2 dimensions`)
  })

  it.each(['(2, 0)', '(1, 65537)', `(1, ${'9'.repeat(400)})`])('of shape %s is refused for its d', async (shape) => {
    expect((await refusal(npyWith(npyHeader(shape), data))).message).toContain('expected 1 to 65536')
  })

  it.each(['(9007199254740993, 3)', `(${'9'.repeat(400)}, 3)`])('of the hostile shape %s is refused', async (shape) => {
    expect((await refusal(npyWith(npyHeader(shape), data))).message).toContain('more bytes than any file has')
  })

  it('shorter than its shape is refused with both sizes', async () => {
    const whole = npy(rows)
    const error = await refusal(whole.subarray(0, whole.length - 1))
    expect(error.message).toContain(`at byte ${whole.length - 1}: it is truncated: shape (2, 3) needs 24 bytes of data`)
    expect(error.message).toContain(`expected ${whole.length} bytes in all, got ${whole.length - 1}`)
  })

  it('longer than its shape is refused with both sizes', async () => {
    const whole = npy(rows)
    const error = await refusal(Buffer.concat([whole, Buffer.alloc(4)]))
    expect(error.message).toContain(`at byte ${whole.length}: it is longer than its shape says`)
    expect(error.message).toContain(`expected ${whole.length} bytes in all, got ${whole.length + 4}`)
  })

  it('that claims a header of 4 GiB is refused without reading it', async () => {
    const content = npy(rows, 2)
    content.writeUInt32LE(0xffffffff, 8)
    const error = await refusal(content)
    expect(error.message).toContain('at byte 8: its npy header claims 4294967295 bytes, expected at most 65535')
  })

  it('whose header reaches beyond the file is refused', async () => {
    const content = npy(rows)
    content.writeUInt16LE(65535, 8)
    const error = await refusal(content)
    expect(error.message).toContain(`expected the header to end at byte ${65535 + 10}, got ${content.length} bytes`)
  })

  it.each([
    ['', 'does not begin with {'],
    ['[1, 2]', 'does not begin with {'],
    ["{'descr': '<f4'", 'does not end with }'],
    ["{'descr': ", 'is not complete'],
    [
      "{'descr': '<f4', 'fortran_order': False}",
      'expected the keys descr, fortran_order, shape, got descr, fortran_order',
    ],
    [npyHeader('(2, 3)').replace('}', "'x': 1}"), 'expected the keys'],
    [npyHeader('(2, 3)').replace('}', "'shape': (9, 9)}"), '"shape" is given twice'],
    [npyHeader('(2, 3)') + ' 1', 'something follows'],
    [npyHeader('(2, 3'), 'does not end with }'],
    [npyHeader('6'), 'shape is not a tuple'],
    [npyHeader('(6)'), 'shape is not a tuple'],
    [npyHeader('(,)'), 'shape is not a tuple'],
    [npyHeader('(2 3)'), 'shape is not a tuple'],
    [npyHeader('(2, -3)'), 'not a Python dict'],
    [npyHeader('(2, 1e3)'), 'not a Python dict'],
    [npyHeader('(2, 3)', undefined, "'False'"), 'fortran_order is neither'],
    ["__import__('os').abort()", 'not a Python dict'],
  ])('with the header %j is refused', async (header, reason) => {
    const error = await refusal(npyWith(header, data))
    expect(error.message).toContain('at byte 10: its npy header cannot be read')
    expect(error.message).toContain(reason)
  })

  it('with any header text is read or refused', async () => {
    const pieces = fc.constantFrom(
      ...`{}()[],:'"`,
      '<f4',
      'descr',
      'shape',
      'fortran_order',
      'True',
      'False',
      '2',
      '3',
      ' ',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 300 }),
      fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
    )
    await fc.assert(
      fc.asyncProperty(text, async (header) => {
        const attempt = openVectorFile(folder.file('fuzzed.npy', npyWith(header, data)))
        await attempt.catch((error: unknown) => expect(error).toBeInstanceOf(InvalidFileError))
      }),
      { numRuns: 300 },
    )
  })

  it('with one byte before its data changed is read whole or refused', async () => {
    const good = npy(rows)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: good.length - data.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        async (at, value) => {
          const content = Buffer.from(good)
          content[at] = value
          const outcome = await openVectorFile(folder.file('flipped.npy', content)).then(
            readAll,
            (error: unknown) => error,
          )
          if (!(outcome instanceof InvalidFileError)) expect(outcome).toMatchObject({ rows })
        },
      ),
      { numRuns: 500 },
    )
  })

  it('has its header parsed in time linear in its length', () => {
    for (const part of [' ', '(', '{', "'", "''", '1', '1,', "'a':"]) {
      expect(typeof parseNpyHeader(part.repeat(65_535 / part.length))).toBe('string')
    }
  })
})
