import { BufferPool, SpillBudget } from '../../spill/index.js'
import type { BuildOptions } from '../types.js'
import type { BuildContext, PlannedContext } from './build-context.js'
import { BuildLog } from './build-log.js'
import type { Ingested } from './ingest.js'
import { finalPlan, memoryBudget, preflight } from './plan-stage.js'
import { resolveOptions } from './resolve-options.js'
import { WorkerPool } from './worker-pool.js'
import { canGoOnAfter } from './resume.js'
import { openWorkspace } from './workspace.js'

/** A build with everything it owns. Whatever happens, `close` ends threads, queues, files, lock and timers. */
export interface OpenBuild {
  readonly context: BuildContext
  readonly log: BuildLog
  /** The final plan, and the workers it allows. */
  plan(ingested: Ingested): Promise<PlannedContext>
  /** From here on `close` keeps the new generation. */
  markPublished(): void
  /** `failure` is what the build ends with: an error of the cleaning up does not hide it. */
  close(failure: unknown): Promise<void>
}

/** Checks the options, refuses what cannot fit, takes the lock and makes the folders. */
export async function openBuild(given: BuildOptions, sourceIsResumable: boolean): Promise<OpenBuild> {
  const options = resolveOptions(given)
  const memory = memoryBudget(options)
  const { budgetBytes } = memory
  const log = new BuildLog({ ...options, budgetBytes })
  try {
    const first = await log.stage('plan', async () => {
      if (memory.warning !== undefined) log.event('memory', memory.warning)
      return preflight(options, budgetBytes)
    })
    const workspace = await openWorkspace(options, sourceIsResumable && options.resume)
    if (workspace.note !== undefined) log.event(workspace.note.kind, workspace.note.message)
    const buffers = new BufferPool()
    const budget = new SpillBudget({ limitBytes: first.queueBytes, pool: buffers })
    log.watchSpill(() => budget.spilledBytes)
    const context: BuildContext = {
      options,
      paths: workspace.paths,
      buffers,
      batchBytes: first.batchBytes,
      budget,
      log,
      queues: new Set(),
      resume: workspace.resume,
    }
    let pool: WorkerPool | undefined
    let published = false
    return {
      context,
      log,
      plan: async (ingested) => {
        const plan = finalPlan(options, log, budgetBytes, ingested)
        budget.limitBytes = plan.queueBytes
        pool = new WorkerPool({
          threads: plan.threads,
          signal: options.signal,
          onRetry: (task, cause) => {
            const reason = cause instanceof Error ? cause.message : String(cause)
            log.event('task-retried', `task ${task} failed (${reason}) and runs once more`)
          },
          onWorkerError: (error) =>
            log.event('worker-error', `a worker thread failed outside its task: ${String(error)}`),
        })
        return { ...context, plan, pool, batchBytes: plan.batchBytes, outputs: new BufferPool() }
      },
      markPublished: () => {
        published = true
      },
      close: async (failure) => {
        try {
          try {
            await pool?.close()
            for (const queue of context.queues) await queue.dispose()
          } finally {
            log.close()
            await workspace.close({ published, keep: !published && canGoOnAfter(failure) })
          }
        } catch (error) {
          if (failure === undefined) throw error
          log.event('cleanup-failed', `cleaning up failed too: ${String(error)}`)
        }
      },
    }
  } catch (error) {
    log.close()
    throw error
  }
}
