import { describe, expect, it } from 'vitest'
import { interned, internStrings } from '../src/runtime/interned.js'

/** V8 gives a concatenated string no place among the interned ones. */
const own = (text: string): string => `${text.slice(0, 1)}${text.slice(1)}`

describe('interned', () => {
  it.each(['i16', '', '7', '__proto__', 'ü', 'a'.repeat(5000)])('gives the same text: %j', (text) => {
    expect(interned(own(text))).toBe(text)
  })
})

describe('internStrings', () => {
  it('keeps the shape, in place, and leaves bytes and objects of a class alone', () => {
    const bytes = new Uint8Array([1, 2])
    const map = new Map([['a', 'b']])
    const task = {
      kind: own('i16'),
      rows: [{ name: own('x'), bytes }, own('y'), 3, null, undefined],
      map,
      deep: { n: 1n },
    }
    const same = internStrings(task)
    expect(same).toBe(task)
    expect(task).toEqual({
      kind: 'i16',
      rows: [{ name: 'x', bytes }, 'y', 3, null, undefined],
      map,
      deep: { n: 1n },
    })
    expect(task.rows[0]).toHaveProperty('bytes', bytes)
    expect(task.map).toBe(map)
  })

  it.each([[undefined], [null], [5], ['text']])('passes %j through', (value) => {
    expect(internStrings(value)).toBe(value)
  })
})
