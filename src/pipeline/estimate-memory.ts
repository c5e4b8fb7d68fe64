import os from 'node:os'
import { engineByName } from '../engines/engine-by-name.js'
import { InsufficientMemoryError } from '../errors.js'
import type { EngineName, Quantization } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { BuildPlan, StageEstimate } from '../plan/plan-build.js'
import { planStages } from './plan-stages.js'
import { decideBudget, readMemoryFacts } from '../memory/memory-budget.js'
import { checkOptions } from '../options/check-options.js'
import { estimateOptionsSchema } from '../options/estimate-options.js'

export interface EstimateOptions {
  // <generated options-estimate>
  /** Number of vectors. */
  readonly count: number
  /** Length of every vector, 1 to 65,536. */
  readonly dimensions: number
  /** 'l2': squared Euclidean; 'cosine': 1 − cos; 'ip': −(inner product). Smaller is nearer in each. Default 'l2'. */
  readonly metric?: Metric
  /**
   * Bytes of the fields of a record on average: text as UTF-8 and 8 bytes a number; 0 for a build without fields.
   * Default 0.
   */
  readonly fieldBytes?: number
  /** Links per node on levels above 0, 4 to 64; level 0 holds up to 2m. Default 16. */
  readonly m?: number
  /**
   * What links the vectors of a shard; 'hnswlib-wasm', the reference, takes four times as long as 'pipnn'. Default
   * 'pipnn'.
   */
  readonly engine?: EngineName
  /**
   * What searches compare: the vectors ('f32'), or quantized vectors beside them: 'f16', 'sq8', 'pq', or 'binary', one
   * bit of each component, which needs metric 'cosine' and suits embeddings of 256 dimensions and more. Default 'f32'.
   */
  readonly quantization?: Quantization
  /**
   * Memory budget in bytes, or as text: '512MB' is 512 x 10^6, '2GiB' and '2G' are 2 x 2^30. Free memory is what the
   * machine or its cgroup has left. Default: the free memory.
   */
  readonly memory?: number | string
  /** Worker threads at most. Default: the cores. */
  readonly threads?: number
  // </generated>
}

export interface MemoryEstimate {
  /** Whether a build with this budget would start. */
  readonly fits: boolean
  readonly budgetBytes: number
  /** Peak memory of a build with this budget, or the bytes it needs when it does not fit. */
  readonly peakBytes: number
  /** The smallest budget with which a build of this size starts: one worker, small buffers, everything spilled. */
  readonly minimumBytes: number
  readonly threads: number
  readonly shards: number
  readonly indexBytes: number
  /** Temp files when everything spills. */
  readonly temporaryBytes: number
  readonly stages: readonly StageEstimate[]
}

/** Estimates memory and disk of a build before anything is built. Throws InvalidOptionError on impossible numbers. */
export function estimateMemory(options: EstimateOptions): MemoryEstimate {
  const { engine, memory, threads, ...shape } = checkOptions(estimateOptionsSchema, options)
  // A given budget is not compared with the memory of this machine: the build may run on another one.
  const budgetBytes =
    memory === undefined ? decideBudget(undefined, readMemoryFacts()).budgetBytes : parseByteSize(memory, 'memory')
  const facts = {
    ...shape,
    engine: engineByName(engine),
    threads: threads ?? os.availableParallelism(),
    idBytes: 16,
  }
  const minimumBytes = smallestBudget(
    (bytes) => tryPlan(() => planStages({ ...facts, budgetBytes: bytes })) !== undefined,
  )
  const plan = tryPlan(() => planStages({ ...facts, budgetBytes }))
  const shown = plan ?? planStages({ ...facts, budgetBytes: minimumBytes, threads: 1 })
  return {
    fits: plan !== undefined,
    budgetBytes,
    peakBytes: plan === undefined ? minimumBytes : plan.peakBytes,
    minimumBytes,
    threads: shown.threads,
    shards: shown.geometry.shardCount,
    indexBytes: shown.indexBytes,
    temporaryBytes: shown.temporaryBytes,
    stages: shown.stages,
  }
}

function tryPlan(plan: () => BuildPlan): BuildPlan | undefined {
  try {
    return plan()
  } catch (error) {
    if (error instanceof InsufficientMemoryError) return undefined
    throw error
  }
}

/** Bisection to the nearest MB: when a budget suffices, every larger one does too. */
function smallestBudget(suffices: (bytes: number) => boolean): number {
  let low = 1
  let high = 1
  while (!suffices(high * 1e6) && high < 2 ** 40) {
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (suffices(middle * 1e6)) high = middle
    else low = middle
  }
  return high * 1e6
}
