import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeBlock } from '../../kernel/block.js'
import { PQ_STEP } from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'
import { quantizedShape, type CodeQuantization } from '../../src/format/graph/quantized-shape.js'
import type { Metric } from '../../src/api/vectors.js'
import { encodeTwin, halfBits, halfValue, nearestCentroid, NORM_FACTORS, subspaceStart } from './code-twins.js'
import { FLAVOURS, f32Rows, place, withArena } from '../fixtures/samples.js'

const kernel = Kernel.create()
const seeds = fc.integer({ min: 0, max: 1e6 })
const flavours = fc.constantFrom(...FLAVOURS)
const counts = fc.integer({ min: 0, max: 5 })
const anyDimensions = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 120, max: 140 }))
const metrics = fc.constantFrom<Metric>('l2', 'cosine', 'ip')

function flat(rows: readonly Float32Array[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...row]))
}

/** Fills the output with other bytes first, which must not matter. */
function encode(
  quantization: CodeQuantization,
  rows: readonly Float32Array[],
  dimensions: number,
  codebook: Float32Array,
  metric: Metric,
): { codes: Uint8Array; clamped: number } {
  const { strideBytes, subspaces } = quantizedShape(quantization, dimensions)
  const count = rows.length
  return withArena(kernel, () => {
    const at = place(kernel, rows)
    const codebookAt = place(kernel, [codebook])
    const scratch = kernel.alloc(4 * Math.max(dimensions, 256))
    const out = kernel.alloc(count * strideBytes)
    kernel.u8(out, count * strideBytes).fill(0xa5)
    let clamped = 0
    if (quantization === 'f16') clamped = kernel.fn.encodeF16(at, count, dimensions, out)
    if (quantization === 'sq8')
      clamped = kernel.fn.encodeSq8(at, count, dimensions, codebookAt, NORM_FACTORS[metric], out)
    if (quantization === 'pq') kernel.fn.encodePq(at, count, dimensions, codebookAt, subspaces, out, scratch)
    if (quantization === 'binary') kernel.fn.encodeBinary(at, count, dimensions, codebookAt, out, scratch)
    return { codes: kernel.u8(out, count * strideBytes).slice(), clamped }
  })
}

/** Unlike any trained codebook: some components are far outside, some steps are 0, many centroids are equal. */
function anyCodebook(quantization: CodeQuantization, dimensions: number, seed: number): Float32Array {
  const numbers = f32Rows(seed, 'random', 1, Math.max(1, quantizedShape(quantization, dimensions).codebookBytes / 4))[0]
  if (quantization === 'sq8')
    numbers.forEach((x, i) => (numbers[i] = i < dimensions ? x : i % 5 === 0 ? 0 : Math.abs(x) / 100))
  if (quantization === 'pq') numbers.forEach((x, i) => (numbers[i] = Math.round(x * 4) / 4))
  return numbers
}

describe.each<CodeQuantization>(['f16', 'sq8', 'pq', 'binary'])('codes of %s', (quantization) => {
  it('equal their twin', () => {
    fc.assert(
      fc.property(seeds, flavours, counts, anyDimensions, metrics, (seed, flavour, count, dimensions, metric) => {
        const rows = f32Rows(seed, flavour, count, dimensions)
        const codebook = anyCodebook(quantization, dimensions, seed + 1)
        const twin = encodeTwin(quantization, flat(rows), dimensions, codebook, metric)
        expect(encode(quantization, rows, dimensions, codebook, metric)).toEqual(twin)
      }),
    )
  })

  it('do not depend on other rows', () => {
    fc.assert(
      fc.property(seeds, anyDimensions, metrics, (seed, dimensions, metric) => {
        const rows = f32Rows(seed, 'random', 4, dimensions)
        const codebook = anyCodebook(quantization, dimensions, seed + 1)
        const { codes } = encode(quantization, rows, dimensions, codebook, metric)
        const alone = rows.flatMap((row) => [...encode(quantization, [row], dimensions, codebook, metric).codes])
        expect([...codes]).toEqual(alone)
      }),
    )
  })
})

describe('halves', () => {
  it('restore each of the 63,488 finite ones', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((one) => (one & 0x7c00) !== 0x7c00)
    const row = Float32Array.from(bits, halfValue)
    const { codes, clamped } = encode('f16', [row], row.length, new Float32Array(1), 'l2')
    expect(new Uint16Array(codes.buffer)).toEqual(bits)
    expect(clamped).toBe(0)
  })

  it('round to the nearest, ties to even, between any two neighbours', () => {
    const lower = Uint16Array.from({ length: 0x7bff }, (_, i) => i)
    const between = Float32Array.from(lower, (bits) => (halfValue(bits) + halfValue(bits + 1)) / 2)
    const { codes } = encode('f16', [between], between.length, new Float32Array(1), 'l2')
    expect(new Uint16Array(codes.buffer)).toEqual(lower.map((bits) => bits + (bits & 1)))
    expect([1 / 3, -65_519, 65_520, 1e30, 1e-30].map(halfBits)).toEqual([0x3555, 0xfbff, 0x7bff, 0x7bff, 0])
  })

  it('saturate at the largest one, and count the components beyond', () => {
    const row = Float32Array.of(65_504, 65_519, 65_520, -1e38, 1)
    const { codes, clamped } = encode('f16', [row], 5, new Float32Array(1), 'l2')
    expect([...new Uint16Array(codes.buffer)]).toEqual([0x7bff, 0x7bff, 0x7bff, 0xfbff, 0x3c00])
    expect(clamped).toBe(2)
  })
})

describe('sq8', () => {
  it('shows whether a component that never varied varies now', () => {
    const codebook = Float32Array.of(5, 5, 5, 0, 0, 0)
    const { codes, clamped } = encode('sq8', [Float32Array.of(5, 6, 4)], 3, codebook, 'l2')
    expect([...new Int8Array(codes.buffer, 0, 4)]).toEqual([0, 127, -127, 0])
    expect(clamped).toBe(2)
  })
})

describe('pqStep', () => {
  interface Step {
    readonly codebook: Float32Array
    readonly codes: Uint8Array
    readonly changed: number
  }

  function step(
    rows: readonly Float32Array[],
    given: Float32Array,
    before: Uint8Array,
    from: number,
    to: number,
  ): Step {
    const dimensions = rows[0].length
    return withArena(kernel, () => {
      const at = place(kernel, rows)
      const codebook = place(kernel, [given])
      const codes = kernel.alloc(before.length)
      kernel.u8(codes, before.length).set(before)
      const [sums, sizes] = [kernel.alloc(8 * 256 * (to - from)), kernel.alloc(4 * 256)]
      const [table, far] = [kernel.alloc(4 * 256), kernel.alloc(4 * rows.length)]
      const buffers = { rows: at, codebook, codes, sums, sizes, table, far }
      const block = placeBlock(kernel, PQ_STEP, { ...buffers, dimensions, from, to })
      const changed = kernel.fn.pqStep(block, rows.length)
      return {
        codebook: kernel.f32(codebook, given.length).slice(),
        codes: kernel.u8(codes, before.length).slice(),
        changed,
      }
    })
  }

  function stepTwin(
    rows: readonly Float32Array[],
    given: Float32Array,
    before: Uint8Array,
    from: number,
    to: number,
  ): Step {
    const codebook = given.slice()
    const nearest = rows.map((row) => nearestCentroid(row, given, from, to))
    const far = nearest.map(({ distance }) => distance)
    let changed = nearest.filter(({ centroid }, r) => centroid !== before[r]).length
    for (let centroid = 0; centroid < 256; centroid++) {
      const members = rows.filter((_, r) => nearest[r].centroid === centroid)
      if (members.length === 0) {
        const farthest = far.indexOf(Math.max(...far))
        members.push(rows[farthest])
        far[farthest] = -1
        changed++
      }
      for (let d = from; d < to; d++) {
        codebook[256 * d + centroid] = members.reduce((sum, row) => sum + row[d], 0) / members.length
      }
    }
    return { codebook, codes: Uint8Array.from(nearest, ({ centroid }) => centroid), changed }
  }

  it('equals its twin in each subspace, and leaves the others alone', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 1, max: 320 }),
        fc.integer({ min: 1, max: 13 }),
        (seed, count, dimensions) => {
          const rows = f32Rows(seed, 'random', count, dimensions)
          const codebook = anyCodebook('pq', dimensions, seed + 1)
          const { subspaces } = quantizedShape('pq', dimensions)
          const s = seed % subspaces
          const [from, to] = [subspaceStart(s, subspaces, dimensions), subspaceStart(s + 1, subspaces, dimensions)]
          const before = Uint8Array.from(rows, (_, r) => (seed * r) & 255)
          expect(step(rows, codebook, before, from, to)).toEqual(stepTwin(rows, codebook, before, from, to))
        },
      ),
      { numRuns: 40 },
    )
  })
})
