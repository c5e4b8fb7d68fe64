import path from 'node:path'
import type { BufferPool, SpillBudget } from '../../spill/index.js'
import { DiskBackedQueue } from '../../spill/index.js'
import { AbortedError } from '../errors.js'
import type { BuildPlan } from '../memory/plan-build.js'
import type { BuildLog } from './build-log.js'
import type { ResolvedOptions } from './resolve-options.js'
import type { WorkerPool } from './worker-pool.js'

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
  readonly buffers: BufferPool
  readonly budget: SpillBudget
  readonly log: BuildLog
  /** Every queue made, so that whatever happens their files and memory go. */
  readonly queues: Set<DiskBackedQueue<unknown>>
}

/** The context once the count is known: the plan is final, and the workers it allows are running. */
export interface PlannedContext extends BuildContext {
  readonly plan: BuildPlan
  readonly pool: WorkerPool
}

export function openQueue<Header>(context: BuildContext, name: string): DiskBackedQueue<Header> {
  const queue = new DiskBackedQueue<Header>({ name, directory: context.paths.spillDir, budget: context.budget })
  context.queues.add(queue as DiskBackedQueue<unknown>)
  return queue
}

export async function disposeQueue<Header>(context: BuildContext, queue: DiskBackedQueue<Header>): Promise<void> {
  await queue.dispose()
  context.queues.delete(queue as DiskBackedQueue<unknown>)
}

export function throwIfAborted(context: BuildContext): void {
  const { signal } = context.options
  if (signal?.aborted === true) throw new AbortedError(signal.reason)
}

export function codesPath(paths: BuildPaths, layer: string): string {
  return path.join(paths.spillDir, `${layer}-codes.bin`)
}
