import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidIdError } from '../../src/errors.js'
import { cutByIds, rowsToWrite, WrittenIds, type ChangeRoom } from '../../src/live/records/whole-ids.js'

const room = (rows: number, bytes = 1e9): ChangeRoom => ({ rows, bytes, bytesOf: (row) => 10 + (row % 3) })

describe('cutByIds', () => {
  it('has every row once, no change above the limit, and no id in two', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (ids, most) => {
        const rowsOf = (id: number): number[] => [...ids.keys()].filter((row) => ids[row] === id)
        const isPossible = ids.every((id) => rowsOf(id).length <= most)
        if (!isPossible) {
          expect(() => cutByIds(ids, room(most))).toThrow(InvalidIdError)
          return
        }
        const changes = cutByIds(ids, room(most)).map((rows) => [...rows])
        expect(changes.flat().sort((a, b) => a - b)).toEqual([...ids.keys()])
        for (const rows of changes) {
          expect(rows.length).toBeLessThanOrEqual(most)
          // All rows of each of its ids, in their order.
          for (const row of rows) expect(rows.filter((one) => ids[one] === ids[row])).toEqual(rowsOf(ids[row]))
        }
      }),
    )
  })

  it('leaves rows that fit in their order', () => {
    expect(cutByIds(['b', 'a', 'b'], room(3))).toEqual([Uint32Array.of(0, 1, 2)])
  })

  it('begins another change where the bytes of rows do not fit, but leaves an id whole', () => {
    const cuts = cutByIds(['a', 'b', 'b', 'b', 'c'], room(5, 25)).map((rows) => [...rows])
    expect(cuts).toEqual([[0], [1, 2, 3], [4]])
  })
})

describe('rowsToWrite', () => {
  it('holds the last id back, which may go on', () => {
    expect(rowsToWrite(['a', 'b', 'a', 'c', 'c'])).toBe(3)
  })

  it('refuses an id that takes all', () => {
    expect(() => rowsToWrite(['a', 'a', 'a'])).toThrow(/"a" has more than 2 vectors/)
  })
})

describe('WrittenIds', () => {
  it('refuses an id that comes again, and takes others', () => {
    const written = new WrittenIds()
    written.assertNew(['a', 'a'])
    written.add(['a', 1])
    expect(() => written.assertNew(['1', 'b'])).not.toThrow()
    expect(() => written.assertNew(['b', 1])).toThrow(/the id 1 comes again after its vectors were written/)
  })
})
