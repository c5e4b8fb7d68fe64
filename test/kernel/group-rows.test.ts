import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'

test('identical rows form a group with the lowest of them as its first', () => {
  const kernel = Kernel.create()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 50 }), (values) => {
      const count = values.length
      const rows = kernel.alloc(16 * count)
      values.forEach((value, i) => kernel.i16(rows + 16 * i, 8).fill(value))
      const [firstOf, distinct, table] = [kernel.alloc(4 * count), kernel.alloc(4 * count), kernel.alloc(4 * 128)]
      const found = kernel.fn.groupRows(rows, 16, count, table, 127, firstOf, distinct)
      expect([...kernel.u32(firstOf, count)]).toEqual(values.map((value) => values.indexOf(value)))
      const firsts = values.flatMap((value, i) => (values.indexOf(value) === i ? [i] : []))
      expect([...kernel.u32(distinct, found)]).toEqual(firsts)
    }),
  )
})
