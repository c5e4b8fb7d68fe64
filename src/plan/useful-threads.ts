import type { Quantization } from '../api/report.js'

/** Threads beyond this for each core gain nothing, and each takes its memory. */
const THREADS_PER_CORE = 2
/** A build of fewer vectors has no trial: a smaller sample is all of a small index, which is searched well at any quality. */
export const LEAST_TRIAL_ROWS = 512
/**
 * Vectors that are worth a thread, which takes 25 MB, and as much processor time as Node.js takes to start. 5,000 x 192
 * vectors are one shard, which one thread links.
 */
const BYTES_PER_THREAD = 2 ** 22
/** The same for pq: training compares each sampled vector with 256 centroids, again and again. */
const PQ_BYTES_PER_THREAD = 2 ** 16

export interface ThreadWork {
  readonly count: number
  readonly dimensions: number
  readonly quantization?: Quantization | undefined
}

/** Most threads that the work of a build can keep busy: one for the trial of its quality, others for its vectors. */
export function usefulThreads({ count, dimensions, quantization }: ThreadWork, shardCount: number): number {
  const perThread = quantization === 'pq' ? PQ_BYTES_PER_THREAD : BYTES_PER_THREAD
  const forVectors = Math.max(shardCount, Math.ceil((4 * count * dimensions) / perThread))
  // Where the vectors are worth one thread, the trial is not worth another.
  return forVectors === 1 || count < LEAST_TRIAL_ROWS ? forVectors : forVectors + 1
}

/** Most threads for this many cores. */
export function threadsForCores(cores: number): number {
  return THREADS_PER_CORE * cores
}
