import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { firstUnsafeRow } from '../../src/format/graph/check-links.js'
import { firstUnsafeEntry, nodeProblems } from '../../src/format/graph/check-upper.js'
import { kernelChecks } from '../../src/search/core/kernel-checks.js'
import { withArena } from '../fixtures/samples.js'

const kernel = Kernel.create()
const checks = kernelChecks(kernel)

function placed(words: readonly number[]): Uint32Array {
  const view = kernel.u32(kernel.alloc(4 * words.length, 4), words.length)
  view.set(words)
  return view
}

/** Mostly below `limit`; sometimes at it, just above or far above. */
const around = (limit: number, wrong: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 200, arbitrary: fc.nat(limit - 1) },
    { weight: wrong, arbitrary: fc.constantFrom(limit, limit + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1) },
  )

const rows = fc
  .record({
    maxLinks: fc.integer({ min: 0, max: 40 }),
    targetCount: fc.constantFrom(1, 60, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 3),
    rowCount: fc.nat(12),
    wrong: fc.constantFrom(0, 1, 5),
  })
  .chain(({ maxLinks, targetCount, rowCount, wrong }) => {
    const links = fc.array(around(targetCount, wrong), { minLength: maxLinks, maxLength: maxLinks })
    const row = fc.tuple(around(maxLinks + 1, wrong), links).map(([count, targets]) => [count, ...targets])
    return fc.record({
      maxLinks: fc.constant(maxLinks),
      targetCount: fc.constant(targetCount),
      words: fc.array(row, { minLength: rowCount, maxLength: rowCount }).map((all) => all.flat()),
    })
  })

/** A level over a valid one, or over the nodes themselves, with or without a changed word. */
const levels = fc
  .record({
    below: fc.option(fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 30 })),
    picks: fc.infiniteStream(fc.boolean()),
    change: fc.option(fc.record({ down: fc.boolean(), at: fc.nat(), to: around(100, 30) })),
  })
  .map(({ below, picks, change }) => {
    const ascending = below?.toSorted((a, b) => a - b)
    const from = ascending ?? Array.from({ length: 30 }, (_, i) => 3 * i)
    const picked = [...from.keys()].filter(() => picks.next().value === true)
    const nodes = picked.map((at) => from[at])
    const down = ascending === undefined ? nodes.slice() : picked
    if (change !== null && nodes.length > 0) (change.down ? down : nodes)[change.at % nodes.length] = change.to
    return { nodes, down, below: ascending, count: 100 }
  })

describe('firstUnsafeRow', () => {
  it('finds the row that its twin finds', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(rows, ({ maxLinks, targetCount, words }) => {
        withArena(kernel, () => {
          const expected = firstUnsafeRow(Uint32Array.from(words), maxLinks, targetCount)
          seen.add(expected === undefined)
          expect(checks.firstUnsafeRow(placed(words), maxLinks, targetCount)).toBe(expected)
        })
      }),
      { numRuns: 500 },
    )
    expect(seen.size).toBe(2)
  })

  it('finds a link to no target in any place of a row, and ignores the words behind the links', () => {
    withArena(kernel, () => {
      for (let count = 0; count <= 33; count++) {
        for (let place = 0; place < 33; place++) {
          const row = placed([count, ...new Array<number>(33).fill(59)])
          row[1 + place] = 60
          expect(checks.firstUnsafeRow(row, 33, 60)).toBe(place < count ? 0 : undefined)
        }
      }
    })
  })

  it('refuses words outside its memory', () => {
    expect(() => checks.firstUnsafeRow(Uint32Array.of(0, 0), 1, 60)).toThrow(RangeError)
  })
})

describe('firstUnsafeEntry', () => {
  it('finds the entry that its twin finds, which is the first with a problem', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(levels, ({ nodes, down, below, count }) => {
        withArena(kernel, () => {
          const level = {
            nodes: placed(nodes),
            down: placed(down),
            below: below === undefined ? undefined : placed(below),
            count,
          }
          const expected = firstUnsafeEntry(level)
          seen.add(expected === undefined)
          expect(checks.firstUnsafeEntry(level)).toBe(expected)
          const [problem] = nodeProblems({ ...level, level: 1, first: 0 })
          if (expected === undefined) expect(problem).toBeUndefined()
          else expect(problem).toMatch(`level 1, entry ${expected}: `)
        })
      }),
      { numRuns: 500 },
    )
    expect(seen.size).toBe(2)
  })

  it.each([
    // what is wrong, nodes, down, nodes of the level below
    ['a node beyond the index', [3, 100], [3, 100], undefined],
    ['a node that is there twice', [3, 3], [3, 3], undefined],
    ['nodes that do not ascend', [3, 2], [3, 2], undefined],
    ['a node that leads down to another', [3, 4], [3, 5], undefined],
    ['an entry that leads down to another', [3, 7], [0, 1], [3, 5, 7]],
    // 9 is the word behind the level below.
    ['an entry that leads down past the end', [3, 9], [0, 3], [3, 5, 7]],
    ['an entry that leads down to nothing at all', [3, 9], [0, 2 ** 32 - 1], [3, 5, 7]],
  ])('finds %s', (_, nodes, down, below) => {
    withArena(kernel, () => {
      const level = {
        nodes: placed(nodes),
        down: placed(down),
        below: below === undefined ? undefined : placed([...below, 9]).subarray(0, below.length),
        count: 100,
      }
      expect(checks.firstUnsafeEntry(level)).toBe(1)
      expect(firstUnsafeEntry(level)).toBe(1)
    })
  })
})
