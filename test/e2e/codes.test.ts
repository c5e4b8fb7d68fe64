/** Builds with compact codes: that they say what docs/format.md says, whatever threads and memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  buildIndex,
  InvalidOptionError,
  readManifest,
  verifyIndex,
  type BuildReport,
  type Metric,
  type ProgressEvent,
  type Quantization,
  type VectorRecord,
} from '../../dist/src/index.js'
import { quantizedShape, type CodeQuantization } from '../../src/format/graph/quantized-shape.js'
import { encodeTwin } from '../kernel/code-twins.js'
import { batches, build, makeFolder, makeRows, randomRows, records, segmentsOf, type Rows } from '../fixtures/builds.js'
import { some, WHOLE } from '../whole.js'

const HEADER_BYTES = 4096

interface Stored {
  readonly vectors: Float32Array
  readonly codes: Uint8Array
  readonly codebook: Float32Array
}

/** All data of the live generation's vectors, codes and codebook, by node. */
async function read(path: string): Promise<Stored> {
  const { manifest, directory } = await readManifest(path)
  /** The first bytes of the data of each: checksums follow. */
  const dataOf = (kind: string, bytesOf: (count: number) => number): Uint8Array => {
    const files = manifest.segments.filter((file) => file.kind === kind)
    return Buffer.concat(
      files.map(({ name, count }) =>
        readFileSync(join(directory, name)).subarray(HEADER_BYTES, HEADER_BYTES + bytesOf(count)),
      ),
    )
  }
  const { dimensions, quantization } = manifest
  const { strideBytes, codebookBytes } = quantizedShape(quantization as CodeQuantization, dimensions)
  const floats = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer)
  return {
    vectors: floats(dataOf('vectors', (count) => 4 * dimensions * count)),
    codes: dataOf('codes', (count) => strideBytes * count),
    codebook: floats(dataOf('codebook', () => codebookBytes)),
  }
}

const CASES: readonly { quantization: CodeQuantization; metric: Metric }[] = [
  { quantization: 'f16', metric: 'ip' },
  { quantization: 'sq8', metric: 'l2' },
  { quantization: 'sq8', metric: 'cosine' },
  { quantization: 'sq8', metric: 'ip' },
  { quantization: 'pq', metric: 'l2' },
  { quantization: 'pq', metric: 'cosine' },
  { quantization: 'binary', metric: 'cosine' },
]

describe.each(some(CASES, 2))(
  'a build with quantization $quantization, metric $metric,',
  ({ quantization, metric }) => {
    it('stores the codes of its vectors, by its codebook', async () => {
      const rows = randomRows(2500, 21, 4)
      const { path, report } = await build(records(rows), { quantization, metric })
      expect(report.quantization).toBe(quantization)
      expect((await readManifest(path)).manifest.quantization).toBe(quantization)
      const { vectors, codes, codebook } = await read(path)
      const twin = encodeTwin(quantization, vectors, 21, codebook, metric)
      expect(Buffer.compare(codes, twin.codes)).toBe(0)
      expect(codebook.every(Number.isFinite)).toBe(true)
      // One bit for each of 21 components tells few vectors apart, which the build says.
      const kinds = report.events.map(({ kind }) => kind)
      expect(kinds.includes('few-dimensions')).toBe(quantization === 'binary')
      expect(report.events.filter(({ kind }) => !['low-recall', 'few-dimensions'].includes(kind))).toEqual([])
    })
  },
)

describe.each(some<CodeQuantization>(['pq', 'f16', 'sq8', 'binary'], 4))(
  'a build with quantization %s',
  (quantization) => {
    it.runIf(WHOLE)('gives the same bytes whatever the threads and the memory', async () => {
      const rows = randomRows(20_000, 112, 5)
      const options = { quantization, metric: 'cosine', quality: 'balanced' } as const
      const roomy = await build(batches(rows), { ...options, threads: 2, memory: '2GB' })
      const tight = await build(batches(rows, undefined, 7), {
        ...options,
        threads: 1,
        memory: '220MB',
        queueBytes: 2e6,
      })
      expect(Object.keys(segmentsOf(roomy)).filter((name) => name.startsWith('codes-')).length).toBeGreaterThan(1)
      expect(segmentsOf(tight)).toEqual(segmentsOf(roomy))
    })

    it('of one vector is sound', async () => {
      await build([{ vector: [3, 4, 0] }], { quantization, metric: 'cosine' })
    })
  },
)

describe('codebooks', () => {
  it('of sq8 go from the least to the greatest of each component', async () => {
    const rows = randomRows(1000, 5, 8)
    const { path } = await build(records(rows), { quantization: 'sq8' })
    const { codebook, codes } = await read(path)
    for (let d = 0; d < 5; d++) {
      const column = Array.from({ length: rows.count }, (_, row) => rows.values[5 * row + d])
      const [least, greatest] = [Math.min(...column), Math.max(...column)]
      expect(codebook[d]).toBe(Math.fround((least + greatest) / 2))
      expect(codebook[5 + d]).toBe(Math.fround((greatest - least) / 254))
      const signed = Array.from({ length: rows.count }, (_, row) => (codes[12 * row + d] << 24) >> 24)
      expect([Math.min(...signed), Math.max(...signed)]).toEqual([-127, 127])
    }
  })

  it('of binary begin with the mean', async () => {
    const rows = makeRows(1000, 6, (row, d) => (d === 0 ? 1 : Math.sin(row * 7 + d)))
    const { path } = await build(records(rows), { quantization: 'binary', metric: 'cosine' })
    const { vectors, codebook } = await read(path)
    for (let d = 0; d < 6; d++) {
      let sum = 0
      for (let at = d; at < vectors.length; at += 6) sum += vectors[at]
      expect(codebook[d]).toBeCloseTo(sum / rows.count, 6)
    }
    // Signs of both kinds in each round, of one size where the round transforms 4 of the 6 components.
    const sizes = [...codebook.subarray(6)].map((factor) => Math.abs(factor))
    const round = [0.5, 0.5, 0.5, 0.5, 1, 1]
    expect(sizes).toEqual([...round, ...round.toReversed(), ...round, ...round.toReversed()])
    expect(new Set(codebook.subarray(6).map(Math.sign))).toEqual(new Set([-1, 1]))
  })

  it('of pq say vectors exactly that have few values', async () => {
    const rows = makeRows(3000, 8, (row, d) => (row * (d + 3)) % 4)
    const { path } = await build(records(rows), { quantization: 'pq' })
    const { vectors, codes, codebook } = await read(path)
    for (let row = 0; row < rows.count; row++) {
      for (let d = 0; d < 8; d++) {
        expect(codebook[256 * d + codes[2 * row + Math.floor(d / 4)]]).toBe(vectors[8 * row + d])
      }
    }
  })

  it('of pq have smaller errors than sampled vectors as centroids', async () => {
    const rows = randomRows(3000, 4, 12)
    const { path } = await build(records(rows), { quantization: 'pq' })
    const { vectors, codes, codebook } = await read(path)
    const sampled = new Float32Array(1024).map((_, i) => vectors[4 * (7 * (i % 256)) + Math.floor(i / 256)])
    const errorOf = (centroids: Float32Array, named: Uint8Array): number => {
      let sum = 0
      vectors.forEach((x, i) => (sum += (x - centroids[256 * (i % 4) + named[Math.floor(i / 4)]]) ** 2))
      return sum
    }
    const before = errorOf(sampled, encodeTwin('pq', vectors, 4, sampled, 'l2').codes)
    expect(errorOf(codebook, codes)).toBeLessThan(0.8 * before)
  })

  it('differ with the seed', async () => {
    const rows = randomRows(1000, 8, 3)
    for (const quantization of ['pq', 'binary'] as const) {
      const one = await read((await build(records(rows), { quantization, metric: 'cosine', seed: 1 })).path)
      const two = await read((await build(records(rows), { quantization, metric: 'cosine', seed: 2 })).path)
      expect(one.codebook).not.toEqual(two.codebook)
    }
  })
})

describe('components that codes cannot say', () => {
  const clamped = ({ events }: BuildReport): string[] =>
    events.filter(({ kind, stage }) => kind === 'codes-clamped' && stage === 'quantize').map(({ message }) => message)

  it('are counted in one event: halves', async () => {
    const rows = makeRows(500, 4, (row, d) => (row < 3 && d < 2 ? -70_000 : 60_000 + row + d))
    const { report } = await build(records(rows), { quantization: 'f16' })
    const messages = clamped(report)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatch(/^6 of 2000 components lie beyond the largest half/)
  })

  it('are counted in one event: a range that was sampled without them', async () => {
    // Above 16,384 vectors not all are sampled; the largest of a fifth are far above all others.
    const rows = makeRows(20_000, 20, (row, d) => (row % 1000 === d ? row / 1000 : Math.sin(row * 20 + d)))
    const { report } = await build(batches(rows), { quantization: 'sq8', quality: 'balanced' })
    const messages = clamped(report)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatch(/^\d+ of 400000 components lie beyond the range that was sampled/)
  })
})

describe('quantization', () => {
  it('binary is refused with a metric that is no angle, and the error says what to choose', async () => {
    for (const metric of ['l2', 'ip', undefined] as const) {
      const refused = buildIndex([], { path: join(makeFolder(), 'an.index'), quantization: 'binary', metric })
      await expect(refused).rejects.toThrow(InvalidOptionError)
      await expect(refused).rejects.toThrow("choose metric 'cosine', or quantization 'pq'")
    }
  })

  it('of another name is refused with the names there are', async () => {
    const refused = buildIndex([], { path: join(makeFolder(), 'an.index'), quantization: 'int8' as Quantization })
    await expect(refused).rejects.toThrow('quantization must be one of f32, f16, sq8, pq, binary, got "int8"')
  })

  it('may change after an interruption: nothing of the other one is left', async () => {
    const rows: Rows = randomRows(3000, 16, 1)
    function* from(startAt: number): Generator<VectorRecord> {
      let row = 0
      for (const record of records(rows)) if (row++ >= startAt) yield record
    }
    for (const [first, second] of some(
      [
        ['pq', 'f16'],
        ['sq8', 'f32'],
        ['f32', 'sq8'],
      ] as const,
      3,
    )) {
      const path = join(makeFolder(), 'an.index')
      const controller = new AbortController()
      const onProgress = ({ stage }: ProgressEvent): void => {
        if (stage === 'prove') controller.abort()
      }
      const stopped = buildIndex(from, { path, quantization: first, signal: controller.signal, onProgress })
      await expect(stopped).rejects.toThrow(AbortedError)
      const again = await build(from, { path, quantization: second })
      expect(segmentsOf(again)).toEqual(segmentsOf(await build(records(rows), { quantization: second })))
      expect((await verifyIndex(path)).problems).toEqual([])
    }
  })
})
