import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IdCollector, hasBit } from '../../src/pipeline/ingest/id-collector.js'
import { dropRepeatedIds, type UniqueIds } from '../../src/pipeline/ingest/drop-repeated-ids.js'
import { DuplicateIdError, InvalidIdError } from '../../src/errors.js'
import { FINGERPRINT_LANES, idFingerprint } from '../../src/format/ids/id-fingerprint.js'
import { decodeIdBytes } from '../../src/format/ids/encode-ids.js'
import type { BuildOptions } from '../../src/api/build.js'
import type { Id } from '../../src/api/vectors.js'
import { makeRun } from '../fixtures/tasks.js'

async function settle(
  ids: readonly (Id | undefined)[],
  duplicates: BuildOptions['duplicates'],
  invalid: readonly number[] = [],
  limitBytes = 1e9,
): Promise<{ settled: UniqueIds; tableOrdinals: number[]; stored: Map<number, Id>; events: string[] }> {
  const run = makeRun({ duplicates }, { limitBytes })
  const collector = new IdCollector(run)
  for (const [ordinal, id] of ids.entries()) await collector.add(id, ordinal)
  for (const ordinal of invalid) collector.drop(ordinal)
  const settled = await dropRepeatedIds(run, await collector.finish())
  const tableOrdinals: number[] = []
  let last: number[] = [-1, -1, -1]
  for await (const batch of settled.table) {
    const words = new Uint32Array(batch.bytes.slice().buffer)
    expect(words.length).toBe(batch.count * (FINGERPRINT_LANES + 1))
    for (let at = 0; at < words.length; at += FINGERPRINT_LANES + 1) {
      const key = Array.from(words.subarray(at, at + FINGERPRINT_LANES))
      expect(compare(last, key)).toBeLessThan(duplicates === 'keep' ? 1 : 0)
      last = key
      const ordinal = words[at + FINGERPRINT_LANES]
      const expected = new Uint32Array(FINGERPRINT_LANES)
      idFingerprint(ids[ordinal] ?? ordinal, expected, 0)
      expect(key).toEqual(Array.from(expected))
      tableOrdinals.push(ordinal)
    }
  }
  const stored = new Map<number, Id>()
  for await (const batch of settled.records) {
    const bytes = Buffer.from(batch.bytes)
    for (let at = 0; at < bytes.length;) {
      const end = at + 8 + bytes.readUInt32LE(at + 4)
      stored.set(bytes.readUInt32LE(at), decodeIdBytes(bytes.subarray(at + 8, end), 'id', 'test'))
      at = end
    }
  }
  return { settled, tableOrdinals, stored, events: run.log.events.map(({ kind }) => kind) }
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return 0
}

const someIds = fc.array(
  fc.oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: 0, max: 12 }).map(String),
    fc.string({ maxLength: 4, unit: 'grapheme' }),
  ),
  { minLength: 1, maxLength: 120 },
)

describe('dropRepeatedIds', () => {
  it.each(['first', 'last'] as const)('keeps of equal ids the %s, as a Map would', async (duplicates) => {
    await fc.assert(
      fc.asyncProperty(
        someIds,
        fc.array(fc.nat(119)),
        fc.constantFrom(0, 1e9),
        async (ids, invalidMaybe, limitBytes) => {
          const invalid = [...new Set(invalidMaybe)].filter((ordinal) => ordinal < ids.length)
          const { settled, tableOrdinals, stored } = await settle(ids, duplicates, invalid, limitBytes)
          const winners = new Map<Id, number>()
          for (const [ordinal, id] of ids.entries()) {
            if (invalid.includes(ordinal)) continue
            if (duplicates === 'last' || !winners.has(id)) winners.set(id, ordinal)
          }
          const kept = [...winners.values()].sort((a, b) => a - b)
          expect(tableOrdinals.sort((a, b) => a - b)).toEqual(kept)
          expect(settled.skippedDuplicates).toBe(ids.length - invalid.length - kept.length)
          for (const ordinal of ids.keys()) expect(hasBit(settled.dropped, ordinal)).toBe(!kept.includes(ordinal))
          for (const [ordinal, id] of ids.entries()) expect(stored.get(ordinal)).toBe(id)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('keeps all, and counts different ids, under keep', async () => {
    await fc.assert(
      fc.asyncProperty(someIds, fc.array(fc.nat(119)), async (ids, invalidMaybe) => {
        const invalid = new Set(invalidMaybe.filter((ordinal) => ordinal < ids.length))
        const { settled, tableOrdinals, events } = await settle(ids, 'keep', [...invalid])
        const valid = [...ids.keys()].filter((ordinal) => !invalid.has(ordinal))
        expect(tableOrdinals.sort((a, b) => a - b)).toEqual(valid)
        expect(settled.distinctIds).toBe(new Set(valid.map((ordinal) => ids[ordinal])).size)
        expect(settled.skippedDuplicates).toBe(0)
        for (const ordinal of ids.keys()) expect(hasBit(settled.dropped, ordinal)).toBe(invalid.has(ordinal))
        expect(events).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('finds all of thousands of repeats, in every partition', async () => {
    const ids = Array.from({ length: 6000 }, (_, i) => `word-${i % 5000}`)
    const { settled, tableOrdinals, events } = await settle(ids, 'first')
    expect(settled.skippedDuplicates).toBe(1000)
    expect(tableOrdinals).toHaveLength(5000)
    expect(Math.max(...tableOrdinals)).toBe(4999)
    expect(events).toEqual(['duplicate-ids'])
  })

  it('names the earliest repeat, both ordinals and how many there are', async () => {
    const ids = Array.from({ length: 3000 }, (_, i) => (i >= 2000 ? `n${i - 1000}` : `n${i}`))
    ids[1700] = 'n3'
    const error: unknown = await settle(ids, 'error').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DuplicateIdError)
    if (!(error instanceof DuplicateIdError)) return
    // n1700 itself is gone: its later copy is alone.
    expect(error.details).toEqual({ id: 'n3', firstOrdinal: 3, secondOrdinal: 1700, count: 1000 })
    expect(error.message).toContain('"n3" is given twice: vectors 3 and 1700 (1000 repeated ids in all)')
  })

  it('does not blame an id whose other vector was skipped as invalid', async () => {
    const { settled } = await settle(['a', 'b', 'a', 'c'], 'error', [0])
    expect(settled.skippedDuplicates).toBe(0)
  })

  it('takes ordinals for ids when none are given', async () => {
    const { tableOrdinals, stored } = await settle(new Array<undefined>(300).fill(undefined), 'error')
    expect(tableOrdinals).toHaveLength(300)
    expect(stored.get(299)).toBe(299)
  })

  it('does not take a number for its text', async () => {
    const { settled } = await settle([1, '1', 2, '2', -1, '-1'], 'error')
    expect(settled.skippedDuplicates).toBe(0)
  })
})

describe('IdCollector', () => {
  it.each([
    [['a', undefined], /vector 1 has no id, while those before it have/],
    [[undefined, 'a'], /vector 1 has id "a", while those before it have none/],
    [[1.5], /1\.5 is not a safe integer/],
    [[2 ** 53], /not a safe integer/],
  ])('refuses %j', (ids, message) => {
    const collector = new IdCollector(makeRun())
    const addAll = (): void => {
      for (const [ordinal, id] of ids.entries()) void collector.add(id, ordinal)
    }
    expect(addAll).toThrow(InvalidIdError)
    expect(addAll).toThrow(message)
  })

  it('takes ids of any length', async () => {
    const long = 'x'.repeat(100_000)
    const { stored } = await settle(['a', long, 'ü'.repeat(3000), ''], 'error')
    expect(stored.get(1)).toBe(long)
    expect(stored.get(2)).toBe('ü'.repeat(3000))
    expect(stored.get(3)).toBe('')
  })
})
