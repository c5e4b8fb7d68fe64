import path from 'node:path'
import type { BufferPool } from '../../../spill/buffer-pool.js'
import type { SpillBudget } from '../../../spill/spill-budget.js'
import { DiskBackedQueue } from '../../../spill/disk-backed-queue.js'
import { DurableQueue } from '../../../spill/durable-queue.js'
import type { Queue } from '../../../spill/queue.js'
import type { RecoveredFile } from '../../../spill/files/recover-spill-file.js'
import { abortError } from '../../tasks/abort-error.js'
import type { BuildPlan } from '../../plan/plan-build.js'
import type { BuildLog } from './build-log.js'
import type { MemoryMonitor } from './memory-monitor.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'
import type { Resume } from '../resume/resume.js'
import type { WorkerPool } from '../../tasks/worker-pool.js'

export interface BuildPaths {
  readonly indexDir: string
  /** Only while building: lock, codes, spill files. */
  readonly buildDir: string
  readonly spillDir: string
  readonly generation: string
  readonly generationDir: string
}

/** What every stage is given. Stages pass their results on as values; only this is shared. */
export interface BuildContext {
  readonly options: ResolvedOptions
  readonly paths: BuildPaths
  /** Batches of queues. */
  readonly buffers: BufferPool
  /** Size of a queue batch: one for all queues, so that a freed buffer serves the next batch of any of them. */
  readonly batchBytes: number
  readonly budget: SpillBudget
  readonly log: BuildLog
  readonly memory: MemoryMonitor
  /** Every queue made, so that whatever happens their files and memory go. */
  readonly queues: Set<Queue>
  /** Present in a build that can be resumed. */
  readonly resume: Resume | undefined
}

/** The context once the count is known: the plan is final, and the workers it allows are running. */
export interface PlannedContext extends BuildContext {
  readonly plan: BuildPlan
  readonly pool: WorkerPool
  /** What tasks write their results to: as many as run at once and two, used again and again. */
  readonly outputs: BufferPool
}

export function openQueue<Header>(context: BuildContext, name: string): Queue<Header> {
  const { budget, paths } = context
  const queue = new DiskBackedQueue<Header>({ name, directory: paths.spillDir, budget })
  context.queues.add(queue)
  return queue
}

/** A queue that an interrupted build is resumed from; undefined in a build that cannot be resumed. */
export function openDurableQueue<Header>(
  context: BuildContext,
  name: string,
  recovered: readonly RecoveredFile[] = [],
): DurableQueue<Header> | undefined {
  const { budget, paths, resume } = context
  if (resume === undefined) return undefined
  const queue = new DurableQueue<Header>({ name, directory: paths.spillDir, budget, recovered })
  context.queues.add(queue)
  return queue
}

export async function disposeQueue<Header>(context: BuildContext, queue: Queue<Header>): Promise<void> {
  await queue.dispose()
  context.queues.delete(queue)
}

export function throwIfAborted(context: BuildContext): void {
  const { signal } = context.options
  if (signal?.aborted === true) throw abortError(signal)
}

/** A buffer for one task's output, of the one size that serves nearly all tasks. Give it back to `outputs`. */
export function acquireOutput(context: PlannedContext, bytes: number): Uint8Array {
  return context.outputs.acquire(Math.max(bytes, context.plan.taskOutputBytes))
}

export function gridPath(paths: BuildPaths, layer: string): string {
  return path.join(paths.spillDir, `${layer}-codes.bin`)
}
