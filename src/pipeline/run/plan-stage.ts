import { engineByName } from '../../engines/engine-by-name.js'
import { formatByteSize } from '../../memory/byte-size.js'
import type { BuildPlan } from '../../plan/plan-build.js'
import { planStages } from '../plan-stages.js'
import type { BuildLog } from './build-log.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'
import type { IngestedFacts } from '../ingest/ingested.js'
import type { MemoryCgroup } from '../../memory/memory-cgroup.js'
import { decideBudget, readMemoryFacts, type MemoryBudget } from '../../memory/memory-budget.js'

/** Dimensions assumed before the first vector, for a source that does not state them. */
const ASSUMED_DIMENSIONS = 128

/**
 * A stream of unknown length is held in memory up to this share of the budget, less a reserve. The process keeps
 * buffers once they are allocated, and the plan for a long stream may have little room for them.
 */
const OPEN_STREAM_SHARE = 1 / 8
const OPEN_STREAM_RESERVE_BYTES = 64 * 2 ** 20

export function memoryBudget(options: ResolvedOptions, cgroup: MemoryCgroup | undefined): MemoryBudget {
  return decideBudget(options.memoryBytes, readMemoryFacts(cgroup))
}

/**
 * The plan before anything is read, so that a build that cannot fit is refused immediately. It uses the count and
 * dimensions that the caller gives; otherwise it assumes one vector, and ASSUMED_DIMENSIONS.
 */
export function preflight(options: ResolvedOptions, budgetBytes: number): BuildPlan {
  const first = plan(options, budgetBytes, options.count ?? 1, options.dimensions ?? ASSUMED_DIMENSIONS, 16)
  if (options.count !== undefined) return first
  const queueBytes = Math.max(first.queueBytes, budgetBytes * OPEN_STREAM_SHARE - OPEN_STREAM_RESERVE_BYTES)
  return { ...first, queueBytes: Math.floor(Math.min(queueBytes, options.queueBytes ?? queueBytes)) }
}

/** The plan once the stream has ended and its count is known. */
export function finalPlan(
  options: ResolvedOptions,
  log: BuildLog,
  budgetBytes: number,
  ingested: IngestedFacts,
): BuildPlan {
  const idBytes = Math.ceil(ingested.ids.totalIdBytes / Math.max(1, ingested.ordinalCount))
  const final = plan(options, budgetBytes, ingested.count, ingested.dimensions, idBytes)
  if (final.threads < options.threads) {
    log.event(
      'fewer-threads',
      `memory for ${final.threads} of ${options.threads} worker threads (${formatByteSize(budgetBytes)})`,
    )
  }
  if (final.reducedShards) {
    log.event(
      'smaller-shards',
      `one standard shard does not fit ${formatByteSize(budgetBytes)}: shards of ${final.geometry.shardMembers} members; ` +
        `the index is sound, but its bytes differ from a build with more memory`,
    )
  }
  return final
}

function plan(
  options: ResolvedOptions,
  budgetBytes: number,
  count: number,
  dimensions: number,
  idBytes: number,
): BuildPlan {
  const { metric, m, threads, queueBytes, quantization } = options
  const engine = engineByName(options.engine)
  return planStages({
    count: Math.max(1, count),
    dimensions,
    metric,
    m,
    quantization,
    engine,
    budgetBytes,
    threads,
    idBytes,
    queueBytes,
  })
}
