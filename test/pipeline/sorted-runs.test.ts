import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyTable } from '../../src/pipeline/fields/sort/key-table.js'
import { SortedRuns } from '../../src/pipeline/fields/sort/sorted-runs.js'
import type { Queues } from '../../src/pipeline/run/queues.js'
import { makeRun, randomNumbers } from '../fixtures/tasks.js'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Entry {
  readonly key: string
  readonly payload: string
  readonly isNewKey: boolean
}

/** Writes each list of entries, in the order of keys, as a run; gives back what the merge says. */
async function merged(
  queues: Queues,
  runs: readonly (readonly (readonly [string, string])[])[],
  mostMerged?: number,
): Promise<Entry[]> {
  const sorted = new SortedRuns(queues, 'keys-0', mostMerged)
  for (const run of runs) {
    sorted.begin()
    for (const [key, payload] of run.toSorted((a, b) => Buffer.compare(utf8(a[0]), utf8(b[0])))) {
      const bytes = utf8(`<${key}>`)
      await sorted.add(bytes, 1, bytes.length - 1, utf8(payload))
    }
    await sorted.end()
  }
  const merge = await sorted.merge()
  const entries: Entry[] = []
  while (await merge.next()) {
    const { bytes, keyFrom, keyTo, payloadTo, isNewKey } = merge
    const text = Buffer.from(bytes)
    entries.push({
      key: text.toString('utf8', keyFrom, keyTo),
      payload: text.toString('utf8', keyTo, payloadTo),
      isNewKey,
    })
  }
  return entries
}

const someKeys = fc.array(
  fc.oneof(fc.constantFrom('', 'a', 'aa', 'b'), fc.string({ maxLength: 8, unit: 'grapheme' })),
  {
    maxLength: 60,
  },
)

describe('SortedRuns', () => {
  it('gives all entries by the bytes of their keys, and those of one key by run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someKeys, { maxLength: 7 }), fc.integer({ min: 2, max: 4 }), async (lists, most) => {
        const runs = lists.map((keys, run) => [...new Set(keys)].map((key) => [key, `${run}`] as const))
        const { queues } = makeRun({}, { limitBytes: 0 })
        const expected = runs
          .flat()
          .sort((a, b) => Buffer.compare(utf8(a[0]), utf8(b[0])) || Number(a[1]) - Number(b[1]))
          .map(([key, payload], i, all) => ({ key, payload, isNewKey: i === 0 || all[i - 1][0] !== key }))
        expect(await merged(queues, runs, most)).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  it('keeps entries that are longer than a batch whole', async () => {
    const long = 'k'.repeat(300_000)
    const { queues } = makeRun({}, { limitBytes: 0 })
    const entries = await merged(queues, [
      [
        ['a', 'x'.repeat(100_000)],
        [long, 'y'],
      ],
      [[`${long}l`, '']],
    ])
    expect(entries.map(({ key, payload }) => [key.length, payload.length])).toEqual([
      [1, 100_000],
      [300_000, 1],
      [300_001, 0],
    ])
  })

  it('ends at once when there is no run', async () => {
    const merge = await new SortedRuns(makeRun().queues, 'none').merge()
    expect(await merge.next()).toBe(false)
  })

  it('gives all memory back', async () => {
    const { queues } = makeRun({}, { limitBytes: 0 })
    await merged(
      queues,
      Array.from({ length: 9 }, (_, run) => [[`key ${run}`, 'x']]),
      3,
    )
    expect(queues.budget.memoryBytes).toBe(0)
  })
})

describe('KeyTable', () => {
  it('numbers keys as they come, and sorts them by bytes', () => {
    fc.assert(
      fc.property(fc.array(someKeys, { maxLength: 3 }), fc.string({ maxLength: 9 }), (lists, beginning) => {
        const keys = lists.flat().map((key) => beginning + key)
        const table = new KeyTable(2 ** 20)
        const distinct = [...new Set(keys)]
        for (const key of keys) {
          const bytes = utf8(`-${key}-`)
          expect(table.codeOf(bytes, 1, bytes.length - 1)).toBe(distinct.indexOf(key))
        }
        const order = distinct.toSorted((a, b) => Buffer.compare(utf8(a), utf8(b)))
        expect(Array.from(table.sorted(), (code) => distinct[code])).toEqual(order)
      }),
    )
  })

  it('holds many keys with one beginning, and forgets them', () => {
    const table = new KeyTable(2 ** 24)
    const random = randomNumbers(1)
    const keys = Array.from({ length: 20_000 }, () => `one beginning ${Math.floor(random() * 1e9)}`)
    for (let turn = 0; turn < 2; turn++) {
      for (const key of keys) table.codeOf(utf8(key), 0, key.length)
      expect(table.count).toBe(new Set(keys).size)
      const text = Buffer.from(table.bytes)
      const sorted = Array.from(table.sorted(), (code) => text.toString('utf8', table.from(code), table.to(code)))
      expect(sorted).toEqual([...new Set(keys)].sort())
      table.clear()
      expect(table.count).toBe(0)
    }
  })

  it('says that it is full before it holds more than its budget', () => {
    const table = new KeyTable(100_000)
    let keys = 0
    for (; !table.isFull; keys++) table.codeOf(utf8(`key ${keys}`), 0, utf8(`key ${keys}`).length)
    expect(keys).toBeGreaterThan(500)
    expect(keys).toBeLessThan(100_000 / 40)
  })
})
