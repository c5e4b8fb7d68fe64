import { placeBlock, setBlock } from '../../../kernel/block.js'
import { PQ_STEP } from '../../../kernel/blocks.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { BINARY_ROUNDS, PQ_CENTROIDS, subspaceStart } from '../../format/graph/quantized-shape.js'
import { hashOrdinal, SALT_CENTROID, SALT_TURN } from '../../rows/hash-ordinal.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { BuildSizes } from '../../plan/stage-memory.js'

/** A part of a codebook to train on sampled vectors. docs/format.md explains the numbers. */
export interface TrainTask {
  readonly quantization: 'sq8' | 'pq' | 'binary'
  readonly dimensions: number
  /** Row-major, in shared memory. */
  readonly sample: Float32Array
  readonly sampleCount: number
  readonly seed: number
  /**
   * The pq subspaces from `from` up to `to` are trained, of `subspaces`; other quantizations are trained as a whole.
   */
  readonly from: number
  readonly to: number
  readonly subspaces: number
  /** The whole codebook, in shared memory; the task writes only its part. */
  readonly codebook: Float32Array
}

/**
 * Rounds of k-means: most use a few rows, the last ones all. On WordNet (384 dimensions) the squared error is 2% above
 * that of 15 rounds on all 16,384 rows, on SIFT 1%, in 0.4 of their time. 6 rounds on all rows take as long, and leave
 * 7% and 4%.
 */
const ROUNDS: readonly { readonly share: number; readonly rounds: number }[] = [
  { share: 1 / 8, rounds: 5 },
  { share: 1 / 4, rounds: 4 },
  { share: 1 / 2, rounds: 3 },
  { share: 1, rounds: 3 },
]
/** The fewest rows of a round: 8 for each centroid. */
const LEAST_ROWS = 8 * PQ_CENTROIDS

export function trainCodebook(kernel: Kernel, task: TrainTask): void {
  if (task.quantization === 'sq8') trainSq8(task)
  else if (task.quantization === 'binary') trainBinary(task)
  else trainPq(kernel, task)
}

/** Codes range from −127 to 127: 254 steps from the smallest to the largest sampled value. */
function trainSq8({ dimensions, sample, codebook }: TrainTask): void {
  const least = sample.slice(0, dimensions)
  const greatest = sample.slice(0, dimensions)
  for (let at = 0, d = 0; at < sample.length; at++, d = d + 1 === dimensions ? 0 : d + 1) {
    if (sample[at] < least[d]) least[d] = sample[at]
    if (sample[at] > greatest[d]) greatest[d] = sample[at]
  }
  for (let d = 0; d < dimensions; d++) {
    codebook[d] = (least[d] + greatest[d]) / 2
    codebook[dimensions + d] = (greatest[d] - least[d]) / 254
  }
}

/** Stores the mean, and random signs. */
function trainBinary({ dimensions, sample, sampleCount, seed, codebook }: TrainTask): void {
  const sums = new Float64Array(dimensions)
  for (let at = 0, d = 0; at < sample.length; at++, d = d + 1 === dimensions ? 0 : d + 1) sums[d] += sample[at]
  sums.forEach((sum, d) => (codebook[d] = sum / sampleCount))
  const size = 2 ** Math.floor(Math.log2(dimensions))
  for (let round = 0; round < BINARY_ROUNDS; round++) {
    const first = round % 2 === 0 ? 0 : dimensions - size
    for (let d = 0; d < dimensions; d++) {
      const factor = d >= first && d < first + size ? 1 / Math.sqrt(size) : 1
      const negative = (hashOrdinal(seed, SALT_TURN, round * dimensions + d) & 1) === 1
      codebook[(1 + round) * dimensions + d] = negative ? -factor : factor
    }
  }
}

/**
 * Runs k-means in each subspace separately. Loads only the columns of this task, which are a small part of the sample.
 */
function trainPq(kernel: Kernel, task: TrainTask): void {
  const { dimensions, sample, sampleCount, seed, codebook, subspaces } = task
  const startOf = (s: number): number => subspaceStart(s, subspaces, dimensions)
  const first = startOf(task.from)
  const width = startOf(task.to) - first
  const rows = kernel.alloc(4 * sampleCount * width)
  const centroids = kernel.alloc(4 * PQ_CENTROIDS * width)
  const codes = kernel.alloc(sampleCount)
  const sums = kernel.alloc(8 * PQ_CENTROIDS * Math.ceil(dimensions / subspaces))
  const sizes = kernel.alloc(4 * PQ_CENTROIDS)
  const table = kernel.alloc(4 * PQ_CENTROIDS)
  const far = kernel.alloc(4 * sampleCount)
  const buffers = { rows, codebook: centroids, codes, sums, sizes, table, far }
  const step = placeBlock(kernel, PQ_STEP, { ...buffers, dimensions: width, from: 0, to: 0 })
  const columns = kernel.f32(rows, sampleCount * width)
  // Rows are in random order, so that the first ones are a sample too.
  shuffled(sampleCount, seed).forEach((row, place) => {
    const at = row * dimensions + first
    columns.set(sample.subarray(at, at + width), place * width)
  })
  const view = kernel.f32(centroids, PQ_CENTROIDS * width)
  for (let s = task.from; s < task.to; s++) {
    const [from, to] = [startOf(s) - first, startOf(s + 1) - first]
    const chosen = distinctParts(columns, sampleCount, { width, from, to })
    for (let d = from; d < to; d++) {
      for (let c = 0; c < PQ_CENTROIDS; c++) view[PQ_CENTROIDS * d + c] = columns[chosen[c % chosen.length] * width + d]
    }
    // With fewer distinct parts there is nothing to improve: each part is its own centroid.
    if (chosen.length < PQ_CENTROIDS) continue
    kernel.u8(codes, sampleCount).forEach((_, row, all) => (all[row] = row % 2 === 0 ? 255 : 0))
    setBlock(kernel, step, PQ_STEP, { from, to })
    for (const { share, rounds } of ROUNDS) {
      const used = Math.min(sampleCount, Math.max(LEAST_ROWS, Math.floor(sampleCount * share)))
      for (let round = 0; round < rounds; round++) {
        if (kernel.fn.pqStep(step, used) === 0) break
      }
    }
  }
  codebook.set(view, PQ_CENTROIDS * first)
}

/** The rows in random order. */
function shuffled(count: number, seed: number): Uint32Array {
  const hashes = Uint32Array.from({ length: count }, (_, row) => hashOrdinal(seed, SALT_CENTROID, row))
  return Uint32Array.from(hashes.keys()).sort((a, b) => hashes[a] - hashes[b] || a - b)
}

/** The first rows, at most 256, whose parts of dimensions `from` to `to - 1` all differ. */
function distinctParts(
  columns: Float32Array,
  count: number,
  { width, from, to }: { width: number; from: number; to: number },
): number[] {
  const seen = new Set<string>()
  const rows: number[] = []
  for (let row = 0; row < count; row++) {
    const part = columns.subarray(row * width + from, row * width + to).join()
    if (seen.has(part)) continue
    seen.add(part)
    rows.push(row)
    if (rows.length === PQ_CENTROIDS) break
  }
  return rows
}

/** The largest sample that a codebook is trained on. k-means with 256 clusters needs some dozens of rows for each. */
const CODEBOOK_SAMPLE_ROWS = 16_384
const CODEBOOK_SAMPLE_BYTES = 64 * 2 ** 20
/** Approximate bytes of sample columns in one task of k-means. */
const TRAIN_TASK_BYTES = 8 * 2 ** 20

/**
 * Vectors sampled to train the codebook. The number must not depend on memory, because it determines the bytes of the
 * index.
 */
export function codebookSampleRows(count: number, dimensions: number): number {
  return Math.min(count, CODEBOOK_SAMPLE_ROWS, Math.max(1, Math.floor(CODEBOOK_SAMPLE_BYTES / (4 * dimensions))))
}

/** Tasks that train the subspaces: several per thread, and none larger than planned. */
export function trainTaskCount(count: number, dimensions: number, subspaces: number, threads: number): number {
  const sampleBytes = 4 * codebookSampleRows(count, dimensions) * dimensions
  return Math.min(subspaces, Math.max(4 * threads, Math.ceil(sampleBytes / TRAIN_TASK_BYTES)))
}

/** Columns of the sample and of the codebook, the sums of a subspace, and two numbers per row. */
export function trainTaskBytes({ count, dimensions, quantization }: BuildSizes, { subspaces }: QuantizedShape): number {
  if (quantization !== 'pq') return 24 * dimensions
  const sampled = codebookSampleRows(count, dimensions)
  const columns = Math.ceil(dimensions / trainTaskCount(count, dimensions, subspaces, 1)) + 4
  return columns * (4 * sampled + 4 * PQ_CENTROIDS) + 12 * 1024 + 16 * sampled
}
