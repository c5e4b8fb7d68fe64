import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.js'
import { formatByteSize, parseByteSize } from '../../src/memory/byte-size.js'

describe('parseByteSize', () => {
  it.each([
    [4096, 4096],
    [1.9, 1],
    ['4096', 4096],
    ['512b', 512],
    ['2GB', 2e9],
    ['2 gb', 2e9],
    [' 1.5GiB ', 1.5 * 2 ** 30],
    ['512MiB', 512 * 2 ** 20],
    ['300mb', 3e8],
    ['64k', 65_536],
    ['1.5g', 1.5 * 2 ** 30],
    ['1T', 2 ** 40],
    ['1tb', 1e12],
    ['0.5kB', 500],
  ])('reads %j as %d bytes', (size, bytes) => {
    expect(parseByteSize(size, 'memory')).toBe(bytes)
  })

  it.each([
    [0],
    [-1],
    [NaN],
    [Infinity],
    [''],
    ['GB'],
    ['2 XB'],
    ['-2GB'],
    ['0'],
    ['0.1b'],
    ['2GB3'],
    ['1e9'],
    ['9999999tb'],
  ])('refuses %j, naming the option and what was given', (size) => {
    expect(() => parseByteSize(size, 'memory')).toThrow(InvalidOptionError)
    expect(() => parseByteSize(size, 'memory')).toThrow(/^memory must be .*got/)
  })
})

describe('formatByteSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1_234_567, '1.23 MB'],
    [999_600_000, '1.00 GB'],
    [2.5e12, '2.50 TB'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text)
  })
})
