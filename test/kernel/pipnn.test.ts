import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { placeBlock } from '../../kernel/block.js'
import { PIPNN_ROWS, PIPNN_SHARD } from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'

const HEADER_BYTES = 64
const CAPACITY = 8
const FAR_CAPACITY = 4
const RECORD_BYTES = HEADER_BYTES + 8 * (CAPACITY + FAR_CAPACITY)

function putWords(kernel: Kernel, words: readonly number[] | Uint32Array): number {
  const at = kernel.alloc(4 * words.length + 4)
  kernel.u32(at, words.length).set(words)
  return at
}

test('a shuffle moves a sample without replacement to the front, a function of its seed', () => {
  const kernel = Kernel.create()
  const run = (count: number, wanted: number, seed: number): number[] => {
    const list = putWords(
      kernel,
      Array.from({ length: count }, (_, i) => 10 + i),
    )
    kernel.fn.pipnnShuffle(list, count, wanted, seed)
    return [...kernel.u32(list, count)]
  }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(0xffffffff), (count, some, seed) => {
      const wanted = some % (count + 1)
      const shuffled = run(count, wanted, seed)
      expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => 10 + i))
      expect(run(count, wanted, seed)).toEqual(shuffled)
    }),
  )
  expect(run(100, 100, 1)).not.toEqual(run(100, 100, 2))
  // Over 2,000 seeds each of four members gets each place about 500 times.
  const seen = new Map<string, number>()
  for (let seed = 0; seed < 2000; seed++) {
    run(4, 4, seed).forEach((member, place) => {
      const key = `${member} at ${place}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    })
  }
  expect(seen.size).toBe(16)
  for (const times of seen.values()) expect(Math.abs(times - 500)).toBeLessThan(100)
})

test('scatter puts members ball by ball, in list order in each', () => {
  const kernel = Kernel.create()
  const ball = fc.integer({ min: 0, max: 4 })
  fc.assert(
    fc.property(fc.array(fc.tuple(ball, ball), { maxLength: 60 }), (assigned) => {
      const count = assigned.length
      const list = putWords(
        kernel,
        assigned.map((_, i) => 100 - i),
      )
      const starts = kernel.alloc(4 * 6)
      const out = kernel.alloc(8 * count)
      kernel.fn.pipnnScatter(list, count, 2, putWords(kernel, assigned.flat()), 5, starts, out)
      const ends = [...kernel.u32(starts, 6)]
      const balls = [0, 1, 2, 3, 4].map((b) => [...kernel.u32(out, 2 * count).subarray(ends[b], ends[b + 1])])
      const wanted = [0, 1, 2, 3, 4].map((b) =>
        assigned.flatMap((own, i) => own.filter((one) => one === b).map(() => 100 - i)),
      )
      expect(balls).toEqual(wanted)
      expect(ends[5]).toBe(2 * count)
    }),
  )
})

test.each([4, 7, 19, 33, 70])('a matrix of %i rows, half computed, is mirrored to a symmetric one', (size) => {
  const kernel = Kernel.create()
  const CHUNK = 16
  const stride = 4 * Math.ceil(size / 4)
  const matrix = kernel.alloc(4 * stride * stride)
  const words = kernel.u32(matrix, stride * stride).fill(0)
  const value = (a: number, b: number): number => 1 + Math.min(a, b) * 1000 + Math.max(a, b)
  for (let row = 0; row < size; row++) {
    for (let column = row - (row % CHUNK); column < size; column++) words[row * stride + column] = value(row, column)
  }
  for (let from = 0; from < size; from += CHUNK) {
    kernel.fn.pipnnMirror(matrix, stride, from, Math.min(CHUNK, size - from))
  }
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) expect(words[row * stride + column]).toBe(value(row, column))
  }
})

describe('reservoirs', () => {
  /** Plain HashPrune: the nearest of each key, and of these the nearest CAPACITY, in the order of offers. */
  function twin(offers: readonly (readonly [number, number, number])[], keyOf: (m: number, c: number) => number) {
    const reservoirs = new Map<number, { candidate: number; word: number; key: number }[]>()
    for (const [member, candidate, word] of offers) {
      const held = reservoirs.get(member) ?? []
      reservoirs.set(member, held)
      const key = keyOf(member, candidate)
      const worst = Math.max(...held.map((one) => one.word))
      if (held.length === CAPACITY && word >= worst) continue
      const same = held.findIndex((one) => one.key === key)
      if (same >= 0) {
        if (word < held[same].word) held[same] = { candidate, word, key }
      } else if (held.length < CAPACITY) held.push({ candidate, word, key })
      else held[held.findIndex((one) => one.word === worst)] = { candidate, word, key }
    }
    return reservoirs
  }

  const GRID_DIMS = 8
  const SIZE = 40

  function emptyShard() {
    const kernel = Kernel.create()
    const grid = kernel.alloc(2 * SIZE * GRID_DIMS)
    const directions = kernel.alloc(2 * 12 * GRID_DIMS)
    const records = kernel.alloc(RECORD_BYTES * SIZE)
    const list = putWords(
      kernel,
      Array.from({ length: SIZE }, (_, i) => i),
    )
    const matrix = kernel.alloc(4 * SIZE * SIZE)
    const shard = placeBlock(kernel, PIPNN_SHARD, {
      count: SIZE,
      grid,
      gridDims: GRID_DIMS,
      rowBytes: 2 * GRID_DIMS,
      norms: 0,
      records,
      recordBytes: RECORD_BYTES,
      capacity: CAPACITY,
      farCapacity: FAR_CAPACITY,
      scratch: kernel.alloc(8 * (SIZE + CAPACITY + FAR_CAPACITY)),
    })
    /** Sketches the rows. Gives the key of a candidate for a member. */
    const sketch = (rows: readonly number[], lines: readonly number[]) => {
      kernel.i16(grid, rows.length).set(rows)
      kernel.i16(directions, lines.length).set(lines)
      kernel.fn.pipnnSketchI16(shard, directions)
      const side = (member: number, line: number): number => {
        let sum = 0
        for (let d = 0; d < GRID_DIMS; d++) sum += rows[member * GRID_DIMS + d] * lines[line * GRID_DIMS + d]
        return sum
      }
      return (member: number, candidate: number): number => {
        let key = 0
        for (let line = 0; line < 12; line++) if (side(candidate, line) >= side(member, line)) key |= 1 << line
        return key
      }
    }
    const putMatrix = (word: (a: number, b: number) => number): void => {
      for (let a = 0; a < SIZE; a++) {
        kernel.u32(matrix + 4 * a * SIZE, SIZE).set(Array.from({ length: SIZE }, (_, b) => word(a, b)))
      }
    }
    return { kernel, records, list, matrix, shard, sketch, putMatrix }
  }

  interface Candidate {
    candidate: number
    word: number
  }

  /** What the reservoirs of a member hold, in the order of their slots. */
  function reservoirsOf(kernel: Kernel, records: number, member: number): { near: Candidate[]; far: Candidate[] } {
    const record = records + member * RECORD_BYTES
    const listOf = (at: number, capacity: number, count: number): Candidate[] => {
      const words = kernel.u32(at, count)
      const items = kernel.u32(at + 4 * capacity, count)
      return [...words].map((word, slot) => ({ word, candidate: items[slot] }))
    }
    const near = listOf(record + HEADER_BYTES, CAPACITY, kernel.u32(record + 48, 1)[0])
    const far = listOf(record + HEADER_BYTES + 8 * CAPACITY, FAR_CAPACITY, FAR_CAPACITY)
    return {
      near: near.map(({ word, candidate }) => ({ word, candidate: candidate & 0xfffff })),
      far: far.filter(({ candidate }) => candidate !== 0xffffffff),
    }
  }

  const component = fc.integer({ min: -3, max: 3 })
  const rowsOf = (rows: number): fc.Arbitrary<number[]> =>
    fc.array(component, { minLength: rows * GRID_DIMS, maxLength: rows * GRID_DIMS })

  test('keep the nearest of each key, and drop the farthest when they are full', () => {
    const { kernel, records, list, matrix, shard, sketch, putMatrix } = emptyShard()
    fc.assert(
      fc.property(rowsOf(SIZE), rowsOf(12), fc.integer({ min: 1, max: 12 }), (rows, lines, k) => {
        const keyOf = sketch(rows, lines)
        // Any symmetric words without ties in a row will do: reservoirs use the geometry only through the keys.
        const word = (a: number, b: number): number =>
          ((Math.min(a, b) * 61 + Math.max(a, b) * 17) % 1009) * 64 + (a ^ b)
        const offers: [number, number, number][] = []
        for (let a = 0; a < SIZE; a++) {
          const others = Array.from({ length: SIZE }, (_, b) => b).filter((b) => b !== a)
          others.sort((x, y) => word(a, x) - word(a, y))
          for (const b of others.slice(0, k)) offers.push([a, b, word(a, b)], [b, a, word(a, b)])
        }
        putMatrix(word)
        kernel.fn.pipnnOffer(shard, list, SIZE, matrix, SIZE, k)
        const wanted = twin(offers, keyOf)
        for (let member = 0; member < SIZE; member++) {
          const record = records + member * RECORD_BYTES
          const count = kernel.u32(record + 48, 1)[0]
          const words = kernel.u32(record + HEADER_BYTES, count)
          const items = kernel.u32(record + HEADER_BYTES + 4 * CAPACITY, count)
          const held = [...words].map((one, i) => [items[i] & 0xfffff, one, items[i] >>> 20])
          const expected = (wanted.get(member) ?? []).map(({ candidate, word: one, key }) => [candidate, one, key])
          expect(held).toEqual(expected)
        }
      }),
      { numRuns: 40 },
    )
  })

  const mixed = (word: number): number => {
    let state = word
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
    return (state ^ (state >>> 16)) >>> 0
  }

  test('become rows: near ones nearest first, and those eight times as far as the middle one, in half a row', () => {
    const { kernel, records, list, matrix, shard, sketch, putMatrix } = emptyShard()
    const degree = 8
    const addresses = [4 * SIZE, 4 * SIZE * degree, 4 * SIZE * degree].map((bytes) => kernel.alloc(bytes))
    const [counts, neighbours, words] = addresses
    const rows = placeBlock(kernel, PIPNN_ROWS, { count: SIZE, degree, counts, neighbours, words })
    fc.assert(
      fc.property(rowsOf(SIZE), rowsOf(12), fc.integer({ min: 1, max: 5 }), (grid, lines, clusters) => {
        sketch(grid, lines)
        const word = (a: number, b: number): number =>
          ((Math.min(a, b) * 61 + Math.max(a, b) * 17) % 97) +
          (a % clusters === b % clusters ? 40 : 4000) * (1 + (a ^ b))
        putMatrix(word)
        kernel.fn.pipnnOffer(shard, list, SIZE, matrix, SIZE, 3)
        kernel.fn.pipnnOfferFar(shard, false, list, SIZE, matrix, SIZE)
        const held = Array.from({ length: SIZE }, (_, member) => reservoirsOf(kernel, records, member))
        kernel.fn.pipnnCandidatesI16(shard, rows, 0, SIZE)
        const byDistance = (a: Candidate, b: Candidate): number => a.word - b.word || a.candidate - b.candidate
        held.forEach(({ near, far }, member) => {
          near.sort(byDistance)
          const middle = near[near.length >> 1].word
          const chosenFar = far.filter((one) => one.word > 8 * middle).slice(0, degree / 2)
          const row = [...near.slice(0, degree - chosenFar.length), ...chosenFar].sort(byDistance)
          const expected = row.filter((one, i) => one.candidate !== row[i - 1]?.candidate)
          const size = kernel.u32(counts + 4 * member, 1)[0]
          expect([...kernel.u32(neighbours + 4 * member * degree, size)]).toEqual(expected.map((one) => one.candidate))
          expect([...kernel.u32(words + 4 * member * degree, size)]).toEqual(expected.map((one) => one.word))
        })
      }),
      { numRuns: 40 },
    )
  })

  test('of far ones hold the nearest far one of a few others, by direction and scale, where a hash decides', () => {
    const { kernel, records, list, matrix, shard, sketch, putMatrix } = emptyShard()
    const farAt = HEADER_BYTES + 8 * CAPACITY
    const pairHash = (member: number, candidate: number): number => mixed(Math.imul(member, 0x9e3779b1) + candidate)
    fc.assert(
      fc.property(rowsOf(SIZE), rowsOf(12), fc.integer({ min: 1, max: 5 }), (rows, lines, clusters) => {
        const keyOf = sketch(rows, lines)
        const word = (a: number, b: number): number =>
          ((Math.min(a, b) * 61 + Math.max(a, b) * 17) % 97) +
          (a % clusters === b % clusters ? 40 : 4000) * (1 + (a ^ b))
        putMatrix(word)
        kernel.fn.pipnnOffer(shard, list, SIZE, matrix, SIZE, 3)
        kernel.fn.pipnnOfferFar(shard, false, list, SIZE, matrix, SIZE)

        const all = Array.from({ length: SIZE }, (_, member) => member)
        const limits = all.map((a) => 4 * Math.min(...all.filter((b) => b !== a).map((b) => word(a, b))))
        const wanted = all.map(() => new Map<number, { candidate: number; word: number }>())
        const offer = (member: number, candidate: number): void => {
          const one = word(member, candidate)
          if (one <= limits[member]) return
          const scale = (32 - Math.clz32(one)) >>> 1
          const slot = mixed(keyOf(member, candidate) ^ (scale << 12)) & (FAR_CAPACITY - 1)
          const held = wanted[member].get(slot)
          if (held !== undefined && pairHash(member, held.candidate) <= pairHash(member, candidate)) return
          wanted[member].set(slot, { candidate, word: one })
        }
        for (const member of all) {
          for (const some of [4, 16, 64]) {
            const count = Math.min(some, SIZE)
            const from = Number((BigInt(mixed(member ^ (some << 24))) * BigInt(SIZE - count + 1)) >> 32n)
            const far = all.slice(from, from + count).filter((b) => b !== member && word(member, b) > limits[member])
            far.sort((x, y) => word(member, x) - word(member, y) || x - y)
            if (far.length === 0) continue
            offer(member, far[0])
            offer(far[0], member)
          }
        }
        for (const member of all) {
          const words = kernel.u32(records + member * RECORD_BYTES + farAt, FAR_CAPACITY)
          const items = kernel.u32(records + member * RECORD_BYTES + farAt + 4 * FAR_CAPACITY, FAR_CAPACITY)
          const held = [...items.keys()].filter((slot) => items[slot] !== 0xffffffff)
          expect(held.map((slot) => [slot, items[slot], words[slot]])).toEqual(
            [...wanted[member]].map(([slot, one]) => [slot, one.candidate, one.word]).sort(([a], [b]) => a - b),
          )
        }
      }),
      { numRuns: 40 },
    )
  })
})
