import { quantizedShape, type CodeQuantization } from '../format/graph/quantized-shape.js'
import { LEAST_BINARY_DIMENSIONS } from '../options/limits.js'
import type { RowFile } from '../rows/file-rows.js'
import type { PlannedRun, Uses } from './run/run.js'
import { SALT_CODEBOOK } from '../rows/hash-ordinal.js'
import { sampleNodes } from '../rows/sample-nodes.js'
import type { SegmentLayout } from './layer/segment-layout.js'
import { encodeTaskBytes, type EncodeTask } from '../tasks/quantize/encode-task.js'
import { gatherVectors } from './segments/gather-vectors.js'
import type { ProofCodes } from '../tasks/prove/proof-graph.js'
import { codebookSampleRows, trainTaskBytes, trainTaskCount, type TrainTask } from '../tasks/quantize/train-task.js'
import { createSegments, type OpenSegments } from './segments/create-segments.js'
import { nodeByOrdinalBytes, upperLevelBytes, type BuildSizes, type StageMemory } from '../plan/stage-memory.js'

/** Compact codes of all vectors, written but not sealed, and their codebook. */
export interface QuantizedVectors {
  readonly quantization: CodeQuantization
  readonly segments: OpenSegments
  /** Empty for a quantization without a codebook, otherwise in shared memory. */
  readonly codebook: Float32Array
}

/** The codes in the form that the searches of the proof take. */
export function proofCodes(codes: QuantizedVectors | undefined, dimensions: number): ProofCodes | undefined {
  if (codes === undefined) return undefined
  const { quantization, segments, codebook } = codes
  return {
    shape: quantizedShape(quantization, dimensions),
    files: segments.files,
    codebook: new Uint8Array(codebook.buffer),
  }
}

/**
 * Quantizes the finished vectors, so that searches can compare the codes. Undefined for f32. A resumed build repeats
 * this stage: it takes little time compared with the stages that are not repeated.
 */
export async function quantize(
  run: PlannedRun,
  layout: SegmentLayout,
  vectors: readonly RowFile[],
  shape: VectorShape,
): Promise<QuantizedVectors | undefined> {
  const { quantization } = run.options
  if (quantization === 'f32') return undefined
  const { dimensions } = shape
  if (quantization === 'binary' && dimensions < LEAST_BINARY_DIMENSIONS) {
    run.log.event(
      'few-dimensions',
      `quantization 'binary' keeps one bit of each component, ${dimensions} a vector: it suits embeddings of ` +
        `${LEAST_BINARY_DIMENSIONS} dimensions and more; 'sq8' or 'pq' find more here`,
    )
  }
  return run.stage('quantize', async () => {
    const codebook = await trainCodebook(run, quantization, vectors, shape)
    const segments = await createSegments(run, 'codes', layout, { dimensions: shape.dimensions, quantization })
    await encodeSegments(run, { quantization, segments, codebook }, vectors, shape)
    return { quantization, segments, codebook }
  })
}

interface VectorShape {
  readonly count: number
  readonly dimensions: number
}

async function trainCodebook(
  { options, tasks: pool }: Uses<'options' | 'tasks'>,
  quantization: CodeQuantization,
  vectors: readonly RowFile[],
  { count, dimensions }: VectorShape,
): Promise<Float32Array> {
  const { codebookBytes, subspaces } = quantizedShape(quantization, dimensions)
  const codebook = new Float32Array(new SharedArrayBuffer(codebookBytes))
  if (quantization === 'f16') return codebook
  const { seed } = options
  const nodes = sampleNodes(count, codebookSampleRows(count, dimensions), seed, SALT_CODEBOOK)
  const sample = pool.share(await gatherVectors({ tasks: pool }, nodes, vectors, dimensions))
  // Subspaces are independent of each other, so their division into tasks changes no byte.
  const parts = quantization === 'pq' ? trainTaskCount(count, dimensions, subspaces, pool.slots) : 1
  const startOf = (part: number): number => Math.floor((part * subspaces) / parts)
  const tasks = Array.from({ length: parts }, (_, part): TrainTask => {
    const shares = { from: startOf(part), to: startOf(part + 1), subspaces }
    return { quantization, dimensions, sample, sampleCount: nodes.length, seed, ...shares, codebook }
  })
  await pool.runAll(
    tasks,
    (task) => pool.run('train', task, `codebook, subspaces ${task.from} to ${task.to} of ${subspaces}`),
    () => undefined,
  )
  return codebook
}

async function encodeSegments(
  { options, tasks, log }: Uses<'options' | 'tasks' | 'log'>,
  { quantization, segments, codebook }: QuantizedVectors,
  vectors: readonly RowFile[],
  { count, dimensions }: VectorShape,
): Promise<void> {
  const { metric } = options
  let done = 0
  let clamped = 0
  tasks.share(codebook)
  await tasks.runAll(
    vectors.keys(),
    (i) => {
      const task: EncodeTask = {
        quantization,
        metric,
        dimensions,
        vectors: vectors[i],
        codebook,
        path: segments.paths[i],
      }
      return tasks.run('encode', task, `codes of ${task.vectors.path}`)
    },
    (result, i) => {
      segments.checksums[i].add(result.checksums)
      clamped += result.clamped
      done += vectors[i].count
      log.progress(done, count, 'vectors')
    },
  )
  if (clamped > 0) {
    const beyond = quantization === 'f16' ? 'the largest half' : 'the range that was sampled'
    log.event(
      'codes-clamped',
      `${clamped} of ${count * dimensions} components lie beyond ${beyond}: their codes say the end of it; the vectors ` +
        `themselves are stored as they are`,
    )
  }
}

/**
 * The sample and the codebook, and in each task the memory of training or encoding. Undefined when nothing is
 * quantized.
 */
export function quantizeMemory(sizes: BuildSizes): StageMemory | undefined {
  const { count, dimensions, vectorBytes, quantization } = sizes
  if (quantization === 'f32') return undefined
  const shape = quantizedShape(quantization, dimensions)
  const sampled = quantization === 'f16' ? 0 : codebookSampleRows(count, dimensions)
  return {
    held: nodeByOrdinalBytes(sizes) + upperLevelBytes(sizes),
    shared: sampled * vectorBytes + shape.codebookBytes,
    task: Math.max(encodeTaskBytes(sizes, shape), trainTaskBytes(sizes, shape)),
    readsFiles: true,
  }
}
