import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FieldRowList } from '../../src/fields/field-row-list.js'
import { FieldRows } from '../../src/fields/field-rows.js'

const anyRow = fc.uint8Array({ maxLength: 90 })

function rowsOf(rows: readonly Uint8Array[]): FieldRows {
  const offsets = new Uint32Array(rows.length + 1)
  for (const [at, row] of rows.entries()) offsets[at + 1] = offsets[at] + row.length
  return new FieldRows(new Uint8Array(Buffer.concat(rows)), offsets)
}

it('a list of field rows has what was added, one by one or many at once', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyRow, { maxLength: 50 }), { maxLength: 8 }), (groups) => {
      const list = new FieldRowList()
      for (const [at, group] of groups.entries()) {
        if (at % 2 === 0) list.addAll(rowsOf(group))
        else for (const row of group) list.add(row)
      }
      const all = groups.flat()
      expect(list.count).toBe(all.length)
      expect(list.size).toBe(all.reduce((sum, row) => sum + row.length, 0))
      const copy = list.copy()
      expect([...copy.bytes]).toEqual([...Buffer.concat(all)])
      for (const [at, row] of all.entries()) {
        expect([...list.row(at)]).toEqual([...row])
        expect([...list.bytes.subarray(list.start(at), list.start(at + 1))]).toEqual([...row])
        expect([...copy.row(at)]).toEqual([...row])
      }
    }),
  )
})

it('a view of some rows is added without the others', () => {
  const list = new FieldRowList()
  list.addAll(rowsOf([Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4)]).slice(1, 3))
  list.add(Uint8Array.of(9))
  expect([0, 1, 2].map((at) => [...list.row(at)])).toEqual([[2, 3], [4], [9]])
})
