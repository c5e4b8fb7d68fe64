import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError } from '../../src/errors.js'
import { decodeUpper, encodeUpper } from '../../src/format/graph/encode-upper.js'
import type { UpperLevel } from '../../src/format/graph/upper-level.js'

const M = 3

/** Sound levels: each a non-empty part of the level below, with any links that the rules allow. */
const pyramid = fc
  .record({
    count: fc.integer({ min: 1, max: 80 }),
    levels: fc.nat(4),
    random: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  })
  .map(({ count, levels, random }) => {
    const next = (): number => Number(random.next().value)
    const built: UpperLevel[] = []
    let below = Uint32Array.from({ length: count }, (_, node) => node)
    for (let level = 0; level < levels; level++) {
      const picked = [...below.keys()].filter((at) => at === 0 || next() < 0.4)
      const nodes = Uint32Array.from(picked, (at) => below[at])
      const links = new Uint32Array(nodes.length * (1 + M))
      for (let i = 0; i < nodes.length; i++) {
        const others = [...nodes.keys()].filter((other) => other !== i && next() < 3 / nodes.length).slice(0, M)
        links.set([others.length, ...others], i * (1 + M))
      }
      built.push({ nodes, down: Uint32Array.from(picked), links })
      below = nodes
    }
    return { count, levels: built }
  })

describe('encodeUpper', () => {
  it('decodes to the same levels, from any place in memory', () => {
    fc.assert(
      fc.property(pyramid, fc.nat(3), ({ count, levels }, shift) => {
        const encoded = encodeUpper(levels)
        const moved = new Uint8Array(encoded.length + shift).subarray(shift)
        moved.set(encoded)
        expect(decodeUpper(moved, { count, m: M, path: 'upper.seg' })).toEqual(levels)
      }),
    )
  })

  it('encodes no levels as one word', () => {
    expect([...encodeUpper([])]).toEqual([0, 0, 0, 0])
    expect(decodeUpper(new Uint8Array(4), { count: 9, m: M, path: 'upper.seg' })).toEqual([])
  })

  it('refuses arrays whose lengths do not match', () => {
    const level = { nodes: new Uint32Array(2), down: new Uint32Array(1), links: new Uint32Array(8) }
    expect(() => encodeUpper([level])).toThrow(RangeError)
  })
})

describe('decodeUpper', () => {
  it('refuses lengths that do not add up', () => {
    const levels = [{ nodes: Uint32Array.of(4), down: Uint32Array.of(4), links: new Uint32Array(1 + M) }]
    const sound = encodeUpper(levels)
    const shape = { count: 9, m: M, path: 'upper.seg' }
    expect(decodeUpper(sound, shape)).toEqual(levels)
    const longer = new Uint8Array(sound.length + 4)
    longer.set(sound)
    for (const bytes of [sound.subarray(0, -4), sound.subarray(0, -1), longer, new Uint8Array(0)]) {
      expect(() => decodeUpper(bytes, shape)).toThrow(CorruptIndexError)
    }
    expect(() => decodeUpper(sound, { ...shape, m: M + 1 })).toThrow(CorruptIndexError)
    expect(() => decodeUpper(sound, { ...shape, count: 4 })).toThrow('node 4 of 4')
  })
})
