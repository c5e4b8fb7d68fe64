import { describe, expect, it } from 'vitest'
import { CUT, thriftEnd, WRONG } from '../../src/sources/parquet/thrift-end.js'

const end = (...bytes: number[]): number => thriftEnd(Uint8Array.from(bytes), 0)

describe('the end of a Thrift struct', () => {
  it.each([
    ['nothing in it', [0], 1],
    [
      'true, a byte, an i32, a double and text',
      [0x11, 0x13, 9, 0x15, 0x80, 1, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, 2, 65, 66, 0],
      20,
    ],
    ['a field whose number follows', [0x05, 0x40, 7, 0], 4],
    ['a list of i32', [0x19, 0x35, 1, 0x81, 1, 2, 0], 7],
    ['a list of booleans', [0x19, 0x22, 1, 2, 0], 5],
    ['a list with a separate length', [0x19, 0xf3, 16, ...new Array<number>(16).fill(1), 0], 20],
    ['a struct in a list in a struct', [0x1c, 0x19, 0x1c, 0x15, 2, 0, 0, 0], 8],
  ])('with %s is found', (_, bytes, expected) => {
    expect(end(...bytes, 1, 2, 3)).toBe(expected)
    for (let length = 0; length < bytes.length; length++) expect(end(...bytes.slice(0, length))).toBe(CUT)
  })

  it.each([
    ['a type that Parquet does not use', [0x1b, 0]],
    ['a number of more than ten bytes', [0x15, ...new Array<number>(11).fill(0xff), 0]],
    ['structs in structs without end', new Array<number>(100).fill(0x1c)],
    ['lists in lists in structs', Array.from({ length: 100 }, () => [0x19, 0x1c]).flat()],
  ])('with %s is wrong', (_, bytes) => {
    expect(end(...bytes, 0, 0, 0)).toBe(WRONG)
  })

  it('is not searched in a list of 2^40 elements', () => {
    expect(end(0x19, 0xf5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 1, 1)).toBe(CUT)
  })
})
