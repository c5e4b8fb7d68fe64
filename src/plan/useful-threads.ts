import type { Quantization } from '../api/report.js'

/** Threads beyond this for each core gain nothing, and each takes its memory. */
const THREADS_PER_CORE = 2
/** Vectors that are worth a thread, which takes 0.1 s to start and 25 MB. */
const BYTES_PER_THREAD = 2 ** 20
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
  return 1 + Math.max(shardCount, Math.ceil((4 * count * dimensions) / perThread))
}

/** Most threads for this many cores. */
export function threadsForCores(cores: number): number {
  return THREADS_PER_CORE * cores
}
