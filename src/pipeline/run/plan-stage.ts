import os from 'node:os'
import { engineByName } from '../../engines/engine-by-name.js'
import { formatByteSize } from '../../memory/byte-size.js'
import type { BuildPlan, PlanFacts } from '../../plan/plan-build.js'
import { threadsForCores, usefulThreads } from '../../plan/useful-threads.js'
import { plural } from '../../report/number-text.js'
import { planStages } from '../plan-stages.js'
import type { BuildLog } from './build-log.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'
import type { IngestedFacts } from '../ingest/ingested.js'
import type { MemoryCgroup } from '../../memory/memory-cgroup.js'
import type { MemoryClaim } from '../../memory/running-builds.js'
import { decideSharedBudget, readMemoryFacts, type MemoryBudget } from '../../memory/memory-budget.js'

/** Dimensions assumed before the first vector, for a source that does not state them. */
const ASSUMED_DIMENSIONS = 128
/** Bytes of the fields of a record that are assumed before the first one. */
const ASSUMED_FIELD_BYTES = 128

/**
 * A stream of unknown length is held in memory up to this share of the budget, less a reserve. The process keeps
 * buffers once they are allocated, and the plan for a long stream may have little room for them.
 */
const OPEN_STREAM_SHARE = 1 / 8
const OPEN_STREAM_RESERVE_BYTES = 64 * 2 ** 20

/** `others`: of the other builds that run in this process now. */
export function memoryBudget(
  { memoryBytes }: Pick<ResolvedOptions, 'memoryBytes'>,
  cgroup: MemoryCgroup | undefined,
  others: readonly MemoryClaim[],
): MemoryBudget {
  return decideSharedBudget(memoryBytes, readMemoryFacts(cgroup), { others, processBytes: process.memoryUsage.rss() })
}

/**
 * The plan before anything is read, so that a build that cannot fit is refused immediately. It uses the count and
 * dimensions that the caller gives; otherwise it assumes one vector, and ASSUMED_DIMENSIONS.
 */
export function preflight(options: ResolvedOptions, budgetBytes: number): BuildPlan {
  const { count = 1, dimensions = ASSUMED_DIMENSIONS, fields } = options
  const fieldBytes = fields === undefined ? 0 : ASSUMED_FIELD_BYTES
  const first = plan(options, budgetBytes, { count, dimensions, idBytes: 16, fieldBytes })
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
  const fieldBytes = Math.ceil((ingested.fields?.totalBytes ?? 0) / Math.max(1, ingested.ordinalCount))
  const { count, dimensions } = ingested
  const final = plan(options, budgetBytes, { count, dimensions, idBytes, fieldBytes })
  const reason = whyFewerThreads(final, options, os.availableParallelism())
  if (reason !== undefined) log.event('fewer-threads', reason)
  if (final.reducedShards) {
    log.event(
      'smaller-shards',
      `one standard shard does not fit ${formatByteSize(budgetBytes)}: shards of ${final.geometry.shardMembers} members; ` +
        `the index is sound, but its bytes differ from a build with more memory`,
    )
  }
  return final
}

/** Undefined when as many run as were asked for, or as a default can keep busy. */
export function whyFewerThreads(
  { threads, budgetBytes, count, dimensions, geometry }: BuildPlan,
  { threads: asked, hasThreads, quantization }: Pick<ResolvedOptions, 'threads' | 'hasThreads' | 'quantization'>,
  cores: number,
): string | undefined {
  const forCores = threadsForCores(cores)
  const forWork = usefulThreads({ count, dimensions, quantization }, geometry.shardCount)
  const most = Math.min(asked, forCores, forWork)
  if (threads < most) return `memory for ${threads} of ${most} worker threads (${formatByteSize(budgetBytes)})`
  if (threads === asked || !hasThreads) return undefined
  const reason =
    forWork <= forCores
      ? `${plural(count, 'vector')} of ${plural(dimensions, 'dimension')} have no work for more`
      : `more than ${forCores} on ${plural(cores, 'core')} gain nothing`
  return `${plural(threads, 'worker thread')} of the ${asked} that were asked for: ${reason}`
}

function plan(
  options: ResolvedOptions,
  budgetBytes: number,
  { count, ...row }: Pick<PlanFacts, 'count' | 'dimensions' | 'idBytes' | 'fieldBytes'>,
): BuildPlan {
  const { metric, m, queueBytes, quantization } = options
  const threads = Math.min(options.threads, threadsForCores(os.availableParallelism()))
  const engine = engineByName(options.engine)
  return planStages({
    count: Math.max(1, count),
    ...row,
    metric,
    m,
    quantization,
    engine,
    budgetBytes,
    threads,
    queueBytes,
  })
}
