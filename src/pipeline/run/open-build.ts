import { BufferPool } from '../../../spill/buffer-pool.js'
import { SpillBudget } from '../../../spill/spill-budget.js'
import { StalledError } from '../../errors.js'
import { findMemoryCgroup } from '../../memory/memory-cgroup.js'
import type { BuildOptions } from '../../api/build.js'
import type { BuildReport } from '../../api/report.js'
import type { BuildContext, PlannedContext } from './build-context.js'
import { BuildLog } from './build-log.js'
import { openBuildTrace } from './build-trace.js'
import type { IngestedFacts } from '../ingest/ingest.js'
import { MemoryMonitor } from './memory-monitor.js'
import { finalPlan, memoryBudget, preflight } from './plan-stage.js'
import { resolveOptions } from '../../options/resolve-options.js'
import { WorkerPool } from '../../tasks/worker-pool.js'
import { canGoOnAfter } from '../resume/resume.js'
import { openWorkspace } from './workspace.js'

/** A build with everything it owns. Whatever happens, `close` ends threads, queues, files, lock and timers. */
export interface OpenBuild {
  readonly context: BuildContext
  readonly log: BuildLog
  /** The final plan, and the workers it allows. */
  plan(ingested: IngestedFacts): Promise<PlannedContext>
  /** From here on `close` keeps the new generation. */
  markPublished(): void
  /** The finished report, for whoever follows the build from outside. */
  reported(report: BuildReport): void
  /** `failure` is what the build ends with: an error of the cleaning up does not hide it. */
  close(failure: unknown): Promise<void>
}

/** Checks the options, refuses what cannot fit, takes the lock and makes the folders. */
export async function openBuild(given: BuildOptions, sourceIsResumable: boolean): Promise<OpenBuild> {
  const resolved = resolveOptions(given)
  const cgroup = findMemoryCgroup()
  const { budgetBytes, warning } = memoryBudget(resolved, cgroup)
  const { metric, engine, quantization, threads, dimensions, count } = resolved
  const trace = await openBuildTrace(
    {
      'shardloom.metric': metric,
      'shardloom.engine': engine,
      'shardloom.quantization': quantization,
      'shardloom.threads': threads,
      'shardloom.dimensions': dimensions,
      'shardloom.count': count,
      'shardloom.memory_budget_bytes': budgetBytes,
    },
    (message) => resolved.logger.warn(message),
  )
  // The caller's signal, or the build's own reason not to go on.
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(resolved.signal?.reason)
  if (resolved.signal?.aborted === true) onAbort()
  else resolved.signal?.addEventListener('abort', onAbort, { once: true })
  const options = { ...resolved, signal: stop.signal }
  const log = new BuildLog({ ...options, budgetBytes, trace })
  try {
    const first = await log.stage('plan', async () => {
      if (warning !== undefined) log.event('memory', warning)
      return preflight(options, budgetBytes)
    })
    const workspace = await openWorkspace(options, sourceIsResumable && options.resume)
    if (workspace.note !== undefined) log.event(workspace.note.kind, workspace.note.message)
    const buffers = new BufferPool()
    const budget = new SpillBudget({ limitBytes: first.queueBytes, pool: buffers })
    log.watchSpill(() => budget.spilledBytes)
    let pool: WorkerPool | undefined
    let published = false
    const memory = new MemoryMonitor({
      budgetBytes,
      cgroup,
      budget,
      queueBytes: first.queueBytes,
      onEvent: (kind, message) => log.event(kind, message),
      onPauseTasks: (paused) => pool?.pause(paused),
      onFailure: (error) => stop.abort(error),
    })
    log.watchPressure(() => memory.level)
    log.watchMemory((...sample) => memory.sample(...sample))
    const context: BuildContext = {
      options,
      paths: workspace.paths,
      buffers,
      batchBytes: first.batchBytes,
      budget,
      log,
      memory,
      queues: new Set(),
      resume: workspace.resume,
    }
    return {
      context,
      log,
      plan: async (ingested) => {
        const plan = finalPlan(options, log, budgetBytes, ingested)
        memory.plannedQueueBytes = plan.queueBytes
        pool = new WorkerPool({
          threads: plan.threads,
          signal: options.signal,
          onRetry: (task, cause) => {
            const reason = cause instanceof Error ? cause.message : String(cause)
            log.event('task-retried', `task ${task} failed (${reason}) and runs once more`)
          },
          onWorkerError: (error) =>
            log.event('worker-error', `a worker thread failed outside its task: ${String(error)}`),
          stall: {
            seconds: options.stallSeconds,
            error: (task) =>
              new StalledError({
                stage: log.stageName,
                doing: `task ${task} twice gave no answer`,
                stallSeconds: options.stallSeconds,
                rssBytes: process.memoryUsage.rss(),
              }),
          },
        })
        pool.pause(memory.pausesTasks)
        return { ...context, plan, pool, batchBytes: plan.batchBytes, outputs: new BufferPool() }
      },
      markPublished: () => {
        published = true
      },
      reported: (report) => trace.built(report),
      close: async (failure) => {
        let ended = failure
        try {
          try {
            // One that fails keeps no other from being closed.
            const closed = await Promise.allSettled([pool?.close()])
            const disposed = await Promise.allSettled(Array.from(context.queues, (queue) => queue.dispose()))
            for (const each of [...closed, ...disposed]) if (each.status === 'rejected') throw each.reason
          } finally {
            resolved.signal?.removeEventListener('abort', onAbort)
            memory.close()
            log.close()
            await workspace.close({ published, keep: !published && canGoOnAfter(failure) })
          }
        } catch (error) {
          // An index that is live is a build that succeeded, whatever could not be cleared away.
          if (failure === undefined && !published) {
            ended = error
            throw error
          }
          log.event('cleanup-failed', `cleaning up failed too: ${String(error)}`)
        } finally {
          trace.end(ended)
        }
      },
    }
  } catch (error) {
    resolved.signal?.removeEventListener('abort', onAbort)
    log.close()
    trace.end(error)
    throw error
  }
}
