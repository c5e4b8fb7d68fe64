import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { METRICS, type Metric } from '../../src/api/vectors.js'
import { ExactRows } from '../../src/search/core/exact-rows.js'
import { searchDistanceTwin } from '../kernel/twins.js'
import { loadCore, randomGraph, randomRows, randomSource } from '../fixtures/random-graph.js'
import { runs } from '../whole.js'

interface Hit {
  readonly row: number
  readonly distance: number
}

function scan(rows: ExactRows, query: Float32Array, k: number, keeps?: Uint32Array): Hit[] {
  const found = rows.scan(query, k, keeps)
  return Array.from({ length: found }, (_, i) => ({ row: rows.rows[i], distance: rows.distances[i] }))
}

/** Plain: an array of vectors, undefined where one was killed. */
class Model {
  readonly metric: Metric
  readonly vectors: Float32Array[] = []
  readonly alive: boolean[] = []

  constructor(metric: Metric) {
    this.metric = metric
  }

  scan(query: Float32Array, k: number, keeps: (row: number) => boolean = () => true): Hit[] {
    return this.vectors
      .map((vector, row) => ({ row, distance: searchDistanceTwin(this.metric, query, vector) }))
      .filter(({ row }) => this.alive[row] && keeps(row))
      .sort((a, b) => a.distance - b.distance || a.row - b.row)
      .slice(0, k)
  }
}

const step = fc.oneof(
  fc.record({ act: fc.constant('append' as const), rows: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.nat(200)) }),
  fc.record({ act: fc.constant('kill' as const), share: fc.constantFrom(0.05, 0.5, 1) }),
  fc.record({ act: fc.constant('scan' as const), k: fc.integer({ min: 0, max: 400 }), kept: fc.boolean() }),
)

describe('ExactRows', () => {
  it('answers as its model does after any sequence of appends, kills and scans', () => {
    const wishes = fc.record({
      seed: fc.nat(),
      metric: fc.constantFrom(...METRICS),
      dimensions: fc.integer({ min: 1, max: 70 }),
      values: fc.constantFrom('integers' as const, 'reals' as const),
    })
    fc.assert(
      fc.property(wishes, fc.array(step, { maxLength: 12 }), ({ seed, metric, dimensions, values }, steps) => {
        const random = randomSource(seed)
        const rows = new ExactRows({ dimensions, metric, capacity: 2400 })
        const model = new Model(metric)
        for (const one of steps) {
          if (one.act === 'append') {
            const vectors = randomRows(random, one.rows, dimensions, values)
            expect(rows.append(vectors)).toBe(model.vectors.length)
            for (let row = 0; row < one.rows; row++) {
              model.vectors.push(vectors.subarray(row * dimensions, (row + 1) * dimensions))
              model.alive.push(true)
            }
          } else if (one.act === 'kill') {
            for (const [row, alive] of model.alive.entries()) {
              if (random() >= one.share) continue
              expect(rows.kill(row)).toBe(alive)
              model.alive[row] = false
            }
          } else {
            const query = randomRows(random, 1, dimensions, values)
            const keeps = Uint32Array.from({ length: Math.ceil(model.alive.length / 32) }, () => random() * 2 ** 32)
            const has = (row: number): boolean => (keeps[row >>> 5] & (1 << (row & 31))) !== 0
            if (one.kept) expect(scan(rows, query, one.k, keeps)).toEqual(model.scan(query, one.k, has))
            else expect(scan(rows, query, one.k)).toEqual(model.scan(query, one.k))
          }
          expect(rows.count).toBe(model.vectors.length)
          expect(rows.aliveCount).toBe(model.alive.filter(Boolean).length)
        }
        expect(model.vectors.map((_, row) => rows.vectorOf(row))).toEqual(model.vectors.map((one) => one.slice()))
        expect(model.alive.map((_, row) => rows.isAlive(row))).toEqual(model.alive)
      }),
      { numRuns: runs(160) },
    )
  })

  it.each(METRICS)('has the distances that an index gives the same vectors, to the bit: %s', (metric) => {
    for (const dimensions of [1, 2, 3, 4, 7, 8, 31, 64, 70, 127, 128, 130, 131, 259, 400]) {
      const graph = randomGraph({ seed: 3, metric, count: 300, dimensions, m: 4, levels: 0, values: 'reals' })
      const core = loadCore(graph)
      const rows = new ExactRows({ dimensions, metric, capacity: 300 })
      rows.append(graph.vectors)
      for (let seed = 0; seed < 4; seed++) {
        const query = randomRows(randomSource(seed), 1, dimensions, 'reals')
        for (const k of [10, 300]) {
          const found = core.scan(query, Array(300).keys(), k)
          const stored = Array.from({ length: found }, (_, i) => ({ row: core.nodes[i], distance: core.distances[i] }))
          expect(scan(rows, query, k)).toEqual(stored)
        }
      }
    }
  })

  it('takes rows up to its capacity, and none of those that go beyond', () => {
    const rows = new ExactRows({ dimensions: 3, metric: 'l2', capacity: 1000 })
    rows.append(new Float32Array(3 * 999))
    expect(() => rows.append(new Float32Array(6))).toThrow(RangeError)
    expect(rows.count).toBe(999)
    expect(rows.append(Float32Array.of(1, 2, 3))).toBe(999)
    expect(scan(rows, Float32Array.of(1, 2, 3), 1)).toEqual([{ row: 999, distance: 0 }])
    expect(() => rows.append(new Float32Array(3))).toThrow(RangeError)
  })

  it('keeps its rows while its memory grows', () => {
    const rows = new ExactRows({ dimensions: 500, metric: 'l2', capacity: 20_000 })
    const bytes = rows.bytes
    for (let row = 0; row < 6000; row += 100) rows.append(new Float32Array(50_000).fill(row))
    rows.kill(2950)
    expect(rows.bytes).toBeGreaterThan(bytes + 6000 * 2000)
    expect(rows.vectorOf(5999)).toEqual(new Float32Array(500).fill(5900))
    expect(scan(rows, new Float32Array(500).fill(2900), 60).map(({ row }) => row)).not.toContain(2950)
  })

  it('copies rows into buffers of their own', () => {
    const rows = new ExactRows({ dimensions: 3, metric: 'l2', capacity: 8 })
    rows.append(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))
    const copy = rows.vectors(1, 3)
    expect([...copy]).toEqual([4, 5, 6, 7, 8, 9])
    expect(copy.buffer.byteLength).toBe(24)
    expect(() => rows.vectors(1, 4)).toThrow(RangeError)
  })

  it('refuses rows that it has not, half rows, and queries and bits that are too short', () => {
    const rows = new ExactRows({ dimensions: 2, metric: 'l2', capacity: 100 })
    rows.append(new Float32Array(2 * 40))
    for (const row of [-1, 40, 0.5, NaN]) {
      expect(() => rows.isAlive(row)).toThrow(RangeError)
      expect(() => rows.kill(row)).toThrow(RangeError)
      expect(() => rows.vectorOf(row)).toThrow(RangeError)
    }
    expect(() => rows.append(new Float32Array(3))).toThrow(RangeError)
    expect(() => rows.scan(new Float32Array(1), 1)).toThrow(RangeError)
    expect(() => rows.scan(new Float32Array(2), 1, new Uint32Array(1))).toThrow(RangeError)
    expect(() => new ExactRows({ dimensions: 2, metric: 'l2', capacity: 1.5 })).toThrow(RangeError)
  })
})
