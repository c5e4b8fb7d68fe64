import { describe, expect, it } from 'vitest'
import vm from 'node:vm'
import { givenVector } from '../../src/rows/given-vector.js'

const floats = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i) / 4)
/** As better-sqlite3 gives a BLOB, at an odd offset. */
const blob = Buffer.from(Buffer.concat([Buffer.of(1), Buffer.from(floats.buffer)])).subarray(1)
/** As node:sqlite does. */
const octets = Uint8Array.from(blob)
const pixels = Uint8Array.from({ length: 128 }, (_, i) => (i * 37) % 256)

describe('a vector is taken', () => {
  it.each<[string, unknown, readonly number[]]>([
    ['an array', [1, 2.5], [1, 2.5]],
    ['float64', Float64Array.of(1, 2), [1, 2]],
    ['int8', Int8Array.of(-1, 2), [-1, 2]],
    ['uint8', Uint8Array.of(1, 255), [1, 255]],
    ['int16', Int16Array.of(-300, 2), [-300, 2]],
    ['uint32', Uint32Array.of(7, 2), [7, 2]],
    ['clamped bytes', Uint8ClampedArray.of(7, 2), [7, 2]],
    ['the text of pgvector', '[1,-2.5,1e-05]', [1, -2.5, 1e-5]],
    ['JSON', ' [1, 2] ', [1, 2]],
    ['the text of a Postgres array', '{1,.5}', [1, 0.5]],
    ['typed arrays of another realm', vm.runInNewContext('Float32Array.of(1, 2)'), [1, 2]],
  ])('from %s', (_, given, numbers) => {
    expect(Array.from(givenVector(given, undefined) as ArrayLike<number>)).toEqual(numbers)
  })

  it.each<[string, unknown]>([
    ['a Buffer', blob],
    ['a Uint8Array', octets],
    ['an ArrayBuffer', octets.buffer],
    ['a DataView', new DataView(octets.buffer)],
  ])('from %s whose bytes are as many float32 as the dimensions', (_, given) => {
    expect(givenVector(given, 32)).toEqual(floats)
  })

  it('from bytes that are as many as the dimensions', () => {
    expect(givenVector(Buffer.from(pixels), 128)).toEqual(Buffer.from(pixels))
    expect(givenVector(octets, 128)).toBe(octets)
    expect(givenVector(pixels, undefined)).toBe(pixels)
  })
})

describe('a vector is refused, with the line of code that makes it clear,', () => {
  it.each<[string, unknown, number | undefined, string]>([
    ['a Buffer of unknown dimensions', blob, undefined, 'new Float32Array(new Uint8Array(vector).buffer)'],
    ['bytes that look like float32', octets, undefined, '32 numbers of float32, or 128 of one byte: state dimensions'],
    ['an ArrayBuffer of unknown dimensions', octets.buffer, undefined, 'state dimensions'],
    ['float64 as bytes', Buffer.alloc(64), 8, 'new Float64Array(new Uint8Array(vector).buffer)'],
    ['a Buffer of another length', Buffer.alloc(12), 4, 'is a Buffer of 12 bytes, expected the 16 of 4 float32'],
    ['float16 as words', Uint16Array.of(1, 2), 2, 'new Float16Array('],
    ['64-bit integers', BigInt64Array.of(1n), 1, 'Float32Array.from(vector, Number)'],
    ['numbers as text', ['1', '2'], 2, 'the string "1" at position 0, expected numbers: pass vector.map(Number)'],
    ['null among numbers', [1, null], 2, 'has null at position 1'],
    ['a list of DuckDB', { items: [1] }, 1, 'pass vector.items'],
    ['a vector of Arrow', { toArray: () => floats }, 1, 'pass vector.toArray()'],
    ['a typed array that went through JSON', { 0: 1, 1: 2 }, 2, 'Object.values(vector)'],
    ['other text', 'abc', 3, 'is the string "abc", expected numbers'],
    ['a list with null of Postgres', '{1,NULL}', 2, 'expected numbers'],
    ['a Promise', Promise.resolve([1]), 1, 'is a Promise: await it'],
    ['nothing', undefined, 1, 'is undefined, expected an array of numbers'],
    ['null', null, 1, 'is null'],
  ])('%s', (_, given, dimensions, reason) => {
    expect(givenVector(given, dimensions)).toContain(reason)
  })
})
