import { codeShape, type CodeStorage } from '../format/code-shape.js'
import { codeSampleRows, trainTaskCount } from '../memory/plan-build.js'
import type { RowFile } from '../search/file-rows.js'
import type { PlannedContext } from './build-context.js'
import { createSegments, type OpenSegments } from './create-segments.js'
import { SALT_CODEBOOK } from './ordinal-hash.js'
import { fileOfNode } from './row-files.js'
import { sampleNodes } from './sample-nodes.js'
import type { SegmentLayout } from './segment-layout.js'
import type { EncodeResult, EncodeTask } from './tasks/encode-task.js'
import type { GatherTask } from './tasks/gather-task.js'
import type { ProofCodes } from './tasks/proof-graph.js'
import type { TrainTask } from './tasks/train-task.js'

/** Compact codes of all vectors, written but not sealed, and what they mean. */
export interface CompactCodes {
  readonly storage: CodeStorage
  readonly segments: OpenSegments
  /** Empty for a storage that has none; else in shared memory. */
  readonly codebook: Float32Array
}

/** As searches of the proof get them. */
export function proofCodes(codes: CompactCodes | undefined, dimensions: number): ProofCodes | undefined {
  if (codes === undefined) return undefined
  const { storage, segments, codebook } = codes
  return { shape: codeShape(storage, dimensions), files: segments.files, codebook: new Uint8Array(codebook.buffer) }
}

/**
 * Codes of the finished vectors segments, for searches to walk on. Undefined for storage f32. A resumed build makes them
 * again: they take little beside what it need not do.
 */
export async function makeCodes(
  context: PlannedContext,
  layout: SegmentLayout,
  vectors: readonly RowFile[],
  shape: { count: number; dimensions: number; m: number },
): Promise<CompactCodes | undefined> {
  const { storage } = context.options
  if (storage === 'f32') return undefined
  return context.log.stage('codes', async () => {
    const codebook = await trainCodebook(context, storage, vectors, shape)
    const segments = await createSegments(context.paths.generationDir, 'codes', layout, { ...shape, storage })
    await encodeSegments(context, { storage, segments, codebook }, vectors, shape)
    return { storage, segments, codebook }
  })
}

async function trainCodebook(
  context: PlannedContext,
  storage: CodeStorage,
  vectors: readonly RowFile[],
  { count, dimensions }: { count: number; dimensions: number },
): Promise<Float32Array> {
  const { codebookBytes, subspaces } = codeShape(storage, dimensions)
  const codebook = new Float32Array(new SharedArrayBuffer(codebookBytes))
  if (storage === 'f16') return codebook
  const { seed, threads } = context.options
  const nodes = sampleNodes(count, codeSampleRows(count, dimensions), seed, SALT_CODEBOOK)
  const sample = await gatherSample(context, nodes, vectors, dimensions)
  // Subspaces are independent of each other: how they are divided changes no byte.
  const parts = storage === 'pq' ? trainTaskCount(count, dimensions, subspaces, threads) : 1
  const startOf = (part: number): number => Math.floor((part * subspaces) / parts)
  const tasks = Array.from({ length: parts }, (_, part): TrainTask => {
    const shares = { from: startOf(part), to: startOf(part + 1), subspaces }
    return { storage, dimensions, sample, sampleCount: nodes.length, seed, ...shares, codebook }
  })
  await context.pool.runAll(
    tasks,
    (task) => context.pool.run<void>('train', task, `codebook, subspaces ${task.from} to ${task.to} of ${subspaces}`),
    () => undefined,
  )
  return codebook
}

/** The vectors of ascending nodes, in shared memory. */
async function gatherSample(
  context: PlannedContext,
  nodes: Uint32Array,
  vectors: readonly RowFile[],
  dimensions: number,
): Promise<Float32Array> {
  const sample = new Float32Array(new SharedArrayBuffer(4 * nodes.length * dimensions))
  const tasks: GatherTask[] = []
  for (let from = 0; from < nodes.length;) {
    const file = vectors[fileOfNode(vectors, nodes[from])]
    let to = from + 1
    while (to < nodes.length && nodes[to] < file.firstNode + file.count) to++
    const rows = sample.subarray(from * dimensions, to * dimensions)
    tasks.push({ vectors: file, dimensions, nodes: nodes.slice(from, to), rows })
    from = to
  }
  await context.pool.runAll(
    tasks,
    (task) => context.pool.run<void>('gather', task, `sample of ${task.vectors.path}`),
    () => undefined,
  )
  return sample
}

async function encodeSegments(
  context: PlannedContext,
  { storage, segments, codebook }: CompactCodes,
  vectors: readonly RowFile[],
  { count, dimensions }: { count: number; dimensions: number },
): Promise<void> {
  const { metric } = context.options
  let done = 0
  let clamped = 0
  await context.pool.runAll(
    vectors.keys(),
    (i) => {
      const task: EncodeTask = {
        storage,
        metric,
        dimensions,
        vectors: vectors[i],
        codebook,
        path: segments.paths[i],
      }
      return context.pool.run<EncodeResult>('encode', task, `codes of ${task.vectors.path}`)
    },
    (result, i) => {
      segments.checksums[i].add(result.checksums)
      clamped += result.clamped
      done += vectors[i].count
      context.log.progress(done, count, 'vectors')
    },
  )
  if (clamped > 0) {
    const beyond = storage === 'f16' ? 'the largest half' : 'the range that was sampled'
    context.log.event(
      'codes-clamped',
      `${clamped} of ${count * dimensions} components lie beyond ${beyond}: their codes say the end of it; the vectors ` +
        `themselves are stored as they are`,
    )
  }
}
