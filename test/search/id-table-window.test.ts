import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeIdTable, findNodesByHash, idTableView } from '../../src/format/ids/id-table.js'
import { IdTableWindow, type IdTable } from '../../src/search/ids/id-table-window.js'
import { randomSource } from '../fixtures/random-graph.js'
import { runs } from '../whole.js'

/** A table in memory that counts how often it is read. */
class CountedTable implements IdTable {
  readonly header: { readonly count: number }
  readonly bytes: Uint8Array
  reads = 0

  constructor(bytes: Uint8Array) {
    this.header = { count: bytes.length / 16 }
    this.bytes = bytes
  }

  read(offset: number, into: Uint8Array): void {
    expect(offset + into.length).toBeLessThanOrEqual(this.bytes.length)
    this.reads++
    into.set(this.bytes.subarray(offset, offset + into.length))
  }
}

function tableOf(high: Uint32Array, low: Uint32Array): CountedTable {
  return new CountedTable(encodeIdTable({ high, low, nodes: Uint32Array.from(high, (_, node) => node) }))
}

function nodesIn(window: IdTableWindow, high: number, low: number): number[] {
  const nodes: number[] = []
  for (let row = window.firstRowOf(high, low); ; row++) {
    const node = window.nodeAt(row, high, low)
    if (node === undefined) return nodes
    nodes.push(node)
  }
}

const most = (rows: number): number => 5 + Math.ceil(Math.log2(rows + 1))

/** How hashes may lie: evenly, as a good hash makes them, or as badly as can be. */
const SPREADS: Readonly<Record<string, (random: () => number) => number>> = {
  even: (random) => random() * 2 ** 32,
  'few values': (random) => Math.floor(random() * 4) * 2 ** 30,
  'one cluster and one outlier': (random) => (random() < 0.001 ? 2 ** 32 - 1 : random() * 50),
  'each power of two': (random) => 2 ** (random() * 32),
  'at both ends': (random) => (random() < 0.5 ? random() * 3 : 2 ** 32 - 1 - random() * 3),
}

const wish = fc.record({
  seed: fc.nat(),
  count: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 6000 })),
  high: fc.constantFrom(...Object.keys(SPREADS)),
  low: fc.constantFrom(...Object.keys(SPREADS)),
})

describe('IdTableWindow', () => {
  it('finds all rows of a hash, and none of another, however the hashes lie', () => {
    fc.assert(
      fc.property(wish, ({ seed, count, high, low }) => {
        const random = randomSource(seed)
        const words = (name: string, length: number): Uint32Array =>
          Uint32Array.from({ length }, () => SPREADS[name](random))
        const columns = { high: words(high, count), low: words(low, count) }
        const table = tableOf(columns.high, columns.low)
        const view = idTableView(table.bytes, 'id-table.seg')
        const window = new IdTableWindow(table)
        const [otherHigh, otherLow] = [words(high, 20), words(low, 20)]
        for (let i = 0; i < 40; i++) {
          const of = i < 20 ? Math.floor(random() * count) : i - 20
          const [h, l] = i < 20 ? [columns.high[of] ?? 0, columns.low[of] ?? 0] : [otherHigh[of], otherLow[of]]
          table.reads = 0
          window.firstRowOf(h, l)
          expect(table.reads).toBeLessThanOrEqual(most(count))
          expect(nodesIn(window, h, l)).toEqual(findNodesByHash(view, h, l))
        }
      }),
      { numRuns: runs(200) },
    )
  })

  it('finds the rows of a hash that are more than a window holds', () => {
    const high = new Uint32Array(2000).fill(7).fill(9, 1500)
    const window = new IdTableWindow(tableOf(high, new Uint32Array(2000)))
    expect(nodesIn(window, 7, 0)).toEqual([...Array(1500).keys()])
    expect(nodesIn(window, 9, 0)).toEqual(Array.from({ length: 500 }, (_, i) => 1500 + i))
    expect(nodesIn(window, 8, 0)).toEqual([])
  })

  it('reads two windows for most hashes that are spread evenly', () => {
    const random = randomSource(4)
    const words = (): Uint32Array => Uint32Array.from({ length: 200_000 }, () => random() * 2 ** 32)
    const high = words()
    const table = tableOf(high, words())
    const window = new IdTableWindow(table)
    for (let i = 0; i < 1000; i++) window.firstRowOf(high[i], 5)
    expect(table.reads).toBeLessThan(2200)
  })

  it('ends on rows in any order', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5000 }), (seed, count) => {
        const random = randomSource(seed)
        const words = Uint32Array.from({ length: 4 * count }, () => random() * 2 ** 32)
        const table = new CountedTable(new Uint8Array(words.buffer))
        const window = new IdTableWindow(table)
        for (let i = 0; i < 20; i++) {
          table.reads = 0
          expect(window.firstRowOf(random() * 2 ** 32, 0)).toBeLessThanOrEqual(count)
          expect(table.reads).toBeLessThanOrEqual(most(count))
        }
      }),
      { numRuns: runs(100) },
    )
  })

  it('holds nothing of a read that failed', () => {
    const table = tableOf(
      Uint32Array.from({ length: 1000 }, (_, i) => i * 4_000_000),
      new Uint32Array(1000),
    )
    const window = new IdTableWindow(table)
    const failing = (_: number, into: Uint8Array): void => {
      into.fill(1)
      throw new Error('unreadable')
    }
    const read = table.read.bind(table)
    expect(nodesIn(window, 4_000_000, 0)).toEqual([1])
    table.read = failing
    expect(() => window.firstRowOf(2_000_000_000, 0)).toThrow('unreadable')
    expect(() => window.nodeAt(1, 4_000_000, 0)).toThrow('unreadable')
    table.read = read
    expect(window.nodeAt(1, 4_000_000, 0)).toBe(1)
  })
})
