import os from 'node:os'
import { QUANTIZATIONS } from '../format/graph/quantized-shape.js'
import { engineByName } from '../engines/engine-by-name.js'
import { DEFAULT_ENGINE } from '../engines/engine-names.js'
import { InsufficientMemoryError, InvalidOptionError } from '../errors.js'
import type { EngineName, Quantization } from '../api/report.js'
import type { Metric } from '../api/vectors.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { BuildPlan, StageEstimate } from '../plan/plan-build.js'
import { planStages } from './plan-stages.js'
import { decideBudget, readMemoryFacts } from '../memory/memory-budget.js'

export interface EstimateOptions {
  readonly count: number
  readonly dimensions: number
  readonly metric?: Metric
  readonly m?: number
  readonly engine?: EngineName
  /** Default 'f32'. */
  readonly quantization?: Quantization
  readonly memory?: number | string
  readonly threads?: number
}

export interface MemoryEstimate {
  /** Whether a build with this budget would start. */
  readonly fits: boolean
  readonly budgetBytes: number
  /** What the build would use at its highest with this budget; bytes needed when it does not fit. */
  readonly peakBytes: number
  /** The least budget with which a build of this size starts: one worker, small buffers, everything spilled. */
  readonly minimumBytes: number
  readonly threads: number
  readonly shards: number
  readonly indexBytes: number
  /** Temp files when everything spills. */
  readonly temporaryBytes: number
  readonly stages: readonly StageEstimate[]
}

/** Memory and disk of a build, before anything is built. Throws InvalidOptionError on impossible numbers. */
export function estimateMemory(options: EstimateOptions): MemoryEstimate {
  const { count, dimensions, metric = 'l2', m = 16, engine = DEFAULT_ENGINE, quantization = 'f32' } = options
  for (const [name, value] of Object.entries({ count, dimensions, m })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new InvalidOptionError(`${name} must be a positive integer, got ${value}`)
  }
  if (!QUANTIZATIONS.includes(quantization)) {
    throw new InvalidOptionError(
      `quantization must be one of ${QUANTIZATIONS.join(', ')}, got ${JSON.stringify(quantization)}`,
    )
  }
  // A budget that is given is taken as it is: the question may be about another machine.
  const budgetBytes =
    options.memory === undefined
      ? decideBudget(undefined, readMemoryFacts()).budgetBytes
      : parseByteSize(options.memory, 'memory')
  const facts = {
    count,
    dimensions,
    metric,
    m,
    quantization,
    engine: engineByName(engine),
    threads: options.threads ?? os.availableParallelism(),
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

/** Bisection to the nearest MB: whether a budget suffices only ever turns from no to yes. */
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
