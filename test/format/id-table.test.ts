import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { encodeIdTable, findNodesByHash, idTableView } from '../../src/format/ids/id-table.js'

/** Few different words, so that rows agree in the high word or in both. */
const word = fc.oneof(
  fc.nat(3),
  fc.constantFrom(2 ** 31, 2 ** 32 - 1, 65_535, 65_536),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
)
const entries = fc.array(fc.record({ high: word, low: word }), { maxLength: 200 })

const columns = (rows: readonly { high: number; low: number }[]) => ({
  high: Uint32Array.from(rows, ({ high }) => high),
  low: Uint32Array.from(rows, ({ low }) => low),
  nodes: Uint32Array.from(rows, (_, at) => at * 3),
})

describe('encodeIdTable', () => {
  it('sorts rows by hash, then by node', () => {
    fc.assert(
      fc.property(entries, (rows) => {
        const expected = rows
          .map(({ high, low }, at) => [high, low, at * 3, 0])
          .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
        expect([...idTableView(encodeIdTable(columns(rows)), 'id-table.seg')]).toEqual(expected.flat())
      }),
    )
  })
})

describe('findNodesByHash', () => {
  it('finds all nodes of a hash and none of another', () => {
    fc.assert(
      fc.property(entries, word, word, (rows, otherHigh, otherLow) => {
        const table = idTableView(encodeIdTable(columns(rows)), 'id-table.seg')
        for (const { high, low } of [...rows, { high: otherHigh, low: otherLow }]) {
          const expected = rows.flatMap((row, at) => (row.high === high && row.low === low ? [at * 3] : []))
          expect(findNodesByHash(table, high, low)).toEqual(expected)
        }
      }),
    )
  })
})

describe('idTableView', () => {
  it('takes bytes that are not aligned', () => {
    const encoded = encodeIdTable(columns([{ high: 1, low: 2 }]))
    const moved = new Uint8Array(17).subarray(1)
    moved.set(encoded)
    expect([...idTableView(moved, 'id-table.seg')]).toEqual([1, 2, 0, 0])
  })

  it('refuses half a row', () => {
    expect(() => idTableView(new Uint8Array(24), 'id-table.seg')).toThrow(CorruptIndexError)
  })
})
