import { expect, it } from 'vitest'
import { RecentIds } from '../../src/pipeline/ingest/recent-ids.js'

it('remembers the last ids, as many as it has room for', () => {
  const recent = new RecentIds(3)
  for (let ordinal = 5; ordinal < 10; ordinal++) recent.add(`id ${ordinal}`, ordinal)
  expect([5, 6, 7, 8, 9, 10].map((ordinal) => recent.of(ordinal))).toEqual([
    undefined, undefined, 'id 7', 'id 8', 'id 9', undefined,
  ]) // prettier-ignore
})

it('forgets long ids sooner', () => {
  const recent = new RecentIds(1000)
  for (let ordinal = 0; ordinal < 10; ordinal++) recent.add(String(ordinal).padEnd(300_000), ordinal)
  expect(recent.of(6)).toBeUndefined()
  expect(recent.of(7)).toMatch(/^7 /)
  recent.add('x'.repeat(2 ** 21), 10)
  expect(recent.of(10)).toBeUndefined()
  recent.add('short', 11)
  expect(recent.of(11)).toBe('short')
})

it('begins again where ordinals do', () => {
  const recent = new RecentIds(3)
  recent.add(1, 1)
  recent.add(7, 7)
  expect(recent.of(1)).toBeUndefined()
  expect(recent.of(7)).toBe(7)
})
