import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeHead,
  encodePlain,
  fillHead,
  NotPlain,
  viewOver,
  type EncodeRules,
  type View,
} from '../../../src/cluster/files/plain-data.js'
import { runs } from '../../whole.js'

const NO_RULES: EncodeRules = { relative: () => undefined }

/** Encoded and decoded, with arrays in memory of their own. */
function roundTrip(value: unknown, rules: EncodeRules = NO_RULES): unknown {
  const { head, arrays } = encodePlain(value, rules)
  const decoded = decodeHead(Buffer.from(head))
  const views = decoded.arrays.map((shape, i) => viewOver(shape, Uint8Array.from(arrays[i]).buffer, 0))
  const paths = decoded.paths.map((path) => `/there/${path}`)
  return fillHead(decoded.value, { paths, arrays: views, stored: [], holes: [], onlyMarkedPaths: true })
}

function decode(head: unknown, onlyMarkedPaths = true): unknown {
  // A head that is wrong only in what it says.
  const forged = encodePlain(null, NO_RULES).head
  expect(forged.length).toBeGreaterThan(0)
  return fillHead(head, { paths: ['a'], arrays: [], stored: [], holes: [], onlyMarkedPaths })
}

const array: fc.Arbitrary<View> = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
)
const { plain } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, false, -0, 0, NaN, Infinity, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32),
    fc.double(),
    fc.integer(),
    fc.string(),
    array,
    fc.array(tie('plain'), { maxLength: 5 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__' && key !== 'path'),
      tie('plain'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
}))

describe('plain data', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(roundTrip(value)).toStrictEqual(value)
      }),
      { numRuns: runs(500) },
    )
  })

  it('has paths that are marked, and strings that look alike as they are', () => {
    const relative = (text: string): string | undefined => (text.startsWith('/here/') ? text.slice(6) : undefined)
    const value = { path: '/here/a', more: ['/here/b', '/here/a', '/elsewhere/a', 'a'] }
    const expected = { path: '/there/a', more: ['/there/b', '/there/a', '/elsewhere/a', 'a'] }
    expect(roundTrip(value, { relative })).toEqual(expected)
  })

  it('holds the bytes of an array that it has twice only once', () => {
    const row = new Float32Array([1, 2])
    const { arrays } = encodePlain([row, { row }], NO_RULES)
    expect(arrays).toHaveLength(1)
    expect(arrays[0].buffer).toBe(row.buffer)
  })

  it('has no content of holes and stored arrays, only their shape', () => {
    const hole = new Float32Array(3)
    const stored = new Uint32Array(2)
    const place = { file: 'x', offset: 8, bytes: 8, crc: 5 }
    const { head, arrays } = encodePlain([hole, stored], {
      relative: () => undefined,
      placeOf: (view) => (view === stored ? place : undefined),
      isHole: (view) => view === hole,
    })
    expect(arrays).toEqual([])
    expect(decodeHead(Buffer.from(head))).toMatchObject({
      holes: [{ view: 'Float32Array', bytes: 12, isShared: false }],
      stored: [{ shape: { view: 'Uint32Array', bytes: 8 }, place }],
    })
  })

  it.each([() => undefined, new Map(), new Date(), 5n, Symbol('s')])('refuses %s', (value) => {
    expect(() => encodePlain({ value }, NO_RULES)).toThrow(TypeError)
  })
})

describe('a forged head', () => {
  it('of any bytes is refused, or is data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeHead(Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(NotPlain)
        }
      }),
      { numRuns: runs(2000) },
    )
  })

  it('with any byte changed is refused, or is data', () => {
    const { head } = encodePlain({ a: [1, new Uint8Array(3)], path: undefined, b: -0 }, NO_RULES)
    for (let at = 0; at < head.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const bytes = Buffer.from(head)
        bytes[at] ^= flip
        try {
          const { value, arrays } = decodeHead(bytes)
          const views = arrays.map((shape) => viewOver(shape, new ArrayBuffer(Math.min(shape.bytes, 1000)), 0))
          fillHead(value, { paths: [], arrays: views, stored: [], holes: [], onlyMarkedPaths: true })
        } catch (error) {
          if (!(error instanceof RangeError)) expect(error).toBeInstanceOf(NotPlain)
        }
      }
    }
  })

  it.each([
    ['a path that is not marked', { vectors: { path: '/etc/passwd' } }],
    ['a path that is not marked, relative', { path: '../x' }],
    ['a mark that there is not', [9, 0]],
    ['a place that there is not', [1, 1]],
    ['a place below 0', [1, -1]],
    ['a place that is no number', [2, 'x']],
    ['an empty mark', []],
    ['an object of a class', { made: new Date() }],
    ['bytes', { made: new Uint8Array(3) }],
    ['a bigint', { made: 5n }],
  ])('with %s is refused', (_, value) => {
    expect(() => decode(value)).toThrow(NotPlain)
  })

  it('nested deeper than the stack is refused', () => {
    let value: unknown = [0]
    for (let depth = 0; depth < 100_000; depth++) value = [0, value]
    expect(() => decode(value)).toThrow(NotPlain)
  })
})
