import type { BuildOptions } from '../../api/build.js'
import type { BuildReport } from '../../api/report.js'
import { StalledError } from '../../errors.js'
import { resolveOptions, type ResolvedOptions } from '../../options/resolve-options.js'
import type { BuildPlan } from '../../plan/plan-build.js'
import { runsHere } from '../../tasks/own-thread.js'
import type { TaskRunner } from '../../tasks/task-runner.js'
import { WorkerPool } from '../../tasks/worker-pool.js'
import { canGoOnAfter } from '../resume/resume.js'
import { BuildLog } from './build-log.js'
import { withFullDiskAdvice } from './full-disk-advice.js'
import type { Cluster } from '../../cluster/coordinator/open-cluster.js'
import { openBuildTrace, type BuildTrace } from './build-trace.js'
import { MemoryMonitor } from './memory-monitor.js'
import { finalPlan, memoryBudget, preflight } from './plan-stage.js'
import { Queues } from './queues.js'
import { releaseMemoryBefore } from './release-memory-before.js'
import { withOtherFields } from './other-fields.js'
import type { PlannedRun, Run } from './run.js'
import type { SourceOfRun } from './source-of-run.js'
import { openWorkspace, type Workspace } from './workspace.js'
import type { IngestedFacts } from '../ingest/ingested.js'
import { claimsOfBuilds, RunningBuild, sumOfClaims } from '../../memory/running-builds.js'
import { findMemoryCgroup } from '../../memory/memory-cgroup.js'
import { checkOpenFiles } from '../../memory/open-files.js'
import { messageOf } from '../../runtime/realms.js'

/**
 * Files that are open at once, at most, measured on a build that spills everything: 18 with one thread, 77 with eight.
 * Threads load their modules side by side.
 */
const BUILD_FILES = 24
const FILES_PER_THREAD = 8

/** A run whose vectors are not counted yet. */
export interface OpenRun extends Run {
  /** Makes the final plan and starts the worker threads that it allows. */
  plan(ingested: IngestedFacts): PlannedRun
}

/**
 * Runs one build. Before `body`, it checks the options, refuses a build that cannot fit, takes the lock and makes the
 * folders. After `body`, in every case, it ends threads, queues, files, timers and the lock. It deletes the new
 * generation unless it was published or the build can be resumed. A cleanup error never hides an error of `body`.
 */
export async function withRun(
  given: BuildOptions,
  source: SourceOfRun,
  body: (run: OpenRun) => Promise<BuildReport>,
): Promise<BuildReport> {
  const run = await openRun(given, source)
  let failure: unknown
  try {
    const report = await withOtherFields(run, () => body(run))
    run.reported(report)
    return report
  } catch (error) {
    failure = await withFullDiskAdvice(error, run.options)
    throw failure
  } finally {
    await run.close(failure)
  }
}

async function openRun(given: BuildOptions, source: SourceOfRun): Promise<BuildRun> {
  const resolved = resolveOptions(given)
  const cgroup = findMemoryCgroup()
  const { budgetBytes, warning } = memoryBudget(resolved, cgroup, claimsOfBuilds())
  const running = new RunningBuild({ bytes: budgetBytes, isDefault: resolved.memoryBytes === undefined })
  try {
    return await openClaimedRun(resolved, source, { budgetBytes, warning, cgroup, running })
  } catch (error) {
    running.close()
    throw error
  }
}

interface ClaimedMemory {
  readonly budgetBytes: number
  readonly warning: string | undefined
  readonly cgroup: ReturnType<typeof findMemoryCgroup>
  readonly running: RunningBuild
}

async function openClaimedRun(
  resolved: ResolvedOptions,
  source: SourceOfRun,
  claimed: ClaimedMemory,
): Promise<BuildRun> {
  const { budgetBytes, warning } = claimed
  const trace = await openBuildTrace(traceAttributes(resolved, budgetBytes), (message) => resolved.logger.warn(message))
  const stop = new StopSignal(resolved.signal)
  const options = { ...resolved, signal: stop.signal }
  const log = new BuildLog({ ...options, budgetBytes, trace })
  try {
    const first = await log.stage('plan', async () => {
      if (warning !== undefined) log.event('memory', warning)
      const plan = preflight(options, budgetBytes)
      checkOpenFiles('a build', BUILD_FILES + FILES_PER_THREAD * plan.threads)
      return plan
    })
    const workspace = await openWorkspace(options, { ...source, isResumable: source.isResumable && options.resume })
    if (workspace.note !== undefined) log.event(workspace.note.kind, workspace.note.message)
    try {
      const cluster = await openClusterOf(options, workspace.paths, log)
      return new BuildRun({ options, claimed, trace, stop, log, workspace, first, cluster })
    } catch (error) {
      await workspace.close({ published: false, keep: true })
      throw error
    }
  } catch (error) {
    const failure = await withFullDiskAdvice(error, resolved)
    stop.close()
    log.close()
    trace.end(failure)
    throw failure
  }
}

async function openClusterOf(
  { cluster, signal, stallSeconds }: ResolvedOptions & { readonly signal: AbortSignal },
  { indexDir, spillDir, runSuffix }: Workspace['paths'],
  log: BuildLog,
): Promise<Cluster | undefined> {
  if (cluster === undefined) return undefined
  const { openCluster } = await import('../../cluster/coordinator/open-cluster.js')
  return openCluster(cluster, {
    indexDir,
    spillDir,
    runSuffix,
    signal,
    stallSeconds,
    onEvent: (kind, message) => log.event(kind, message),
    stageName: () => log.stageName,
  })
}

/** Owns everything that a build opens. */
class BuildRun implements OpenRun {
  readonly options: ResolvedOptions
  readonly paths: Workspace['paths']
  readonly log: BuildLog
  readonly memory: MemoryMonitor
  readonly queues: Queues
  readonly resume: Workspace['resume']
  readonly liveSequence: number
  readonly #workspace: Workspace
  readonly #trace: BuildTrace
  readonly #stop: StopSignal
  readonly #claimed: ClaimedMemory
  readonly #cluster: Cluster | undefined
  #tasks: TaskRunner | undefined
  #published = false

  constructor(parts: {
    options: ResolvedOptions
    claimed: ClaimedMemory
    trace: BuildTrace
    stop: StopSignal
    log: BuildLog
    workspace: Workspace
    first: BuildPlan
    cluster: Cluster | undefined
  }) {
    const { options, claimed, trace, stop, log, workspace, first, cluster } = parts
    const { budgetBytes, cgroup, running } = claimed
    const { queueBytes, batchBytes } = first
    this.options = options
    this.log = log
    this.paths = workspace.paths
    this.resume = workspace.resume
    this.liveSequence = workspace.liveSequence
    this.#workspace = workspace
    this.#trace = trace
    this.#stop = stop
    this.#claimed = claimed
    this.#cluster = cluster
    const queues = new Queues({
      directory: workspace.paths.spillDir,
      limitBytes: queueBytes,
      batchBytes,
      isResumable: workspace.resume !== undefined,
      handsOffFiles: cluster !== undefined,
    })
    const memory = new MemoryMonitor({
      budgetBytes,
      othersBytes: () => sumOfClaims(running.others),
      cgroup,
      budget: queues.budget,
      queueBytes,
      onEvent: (kind, message) => log.event(kind, message),
      onPauseTasks: (paused) => this.#tasks?.pause(paused),
      onFailure: (error) => stop.stop(error),
    })
    this.queues = queues
    this.memory = memory
    log.watchSpill(() => queues.budget.spilledBytes)
    log.watchPressure(() => memory.level)
    if (cluster !== undefined) log.watchHosts(() => cluster.progress)
    log.watchMemory((...sample) => memory.sample(...sample))
  }

  stage: Run['stage'] = (name, body) => this.log.stage(name, body)

  plan(ingested: IngestedFacts): PlannedRun {
    const { options, paths, log, memory, queues, resume, liveSequence } = this
    const cluster = this.#cluster
    const planned = finalPlan(options, log, this.#plannedBudget(), ingested)
    // Tasks on other hosts find grid rows in a file only.
    const plan = cluster === undefined ? planned : { ...planned, gridInMemory: false }
    this.#claimed.running.lowerTo(plan.peakBytes)
    memory.plannedQueueBytes = plan.queueBytes
    queues.batchBytes = plan.batchBytes
    const isSmall = plan.threads === 1 && runsHere(ingested.count * ingested.dimensions)
    const threads = startThreads(plan, options, log, isSmall)
    const tasks = cluster?.start(plan, threads) ?? threads
    this.#tasks = tasks
    tasks.pause(memory.pausesTasks)
    return {
      options,
      paths,
      log,
      memory,
      queues,
      resume,
      liveSequence,
      plan,
      tasks,
      get hosts() {
        return cluster?.hosts
      },
      stage: async (name, body) => {
        await releaseMemoryBefore(name, { plan, queues, tasks })
        return log.stage(name, body)
      },
      markPublished: () => {
        this.#published = true
      },
    }
  }

  /** The budget of the start, or less where builds that began since leave less. */
  #plannedBudget(): number {
    const { budgetBytes, cgroup, running } = this.#claimed
    if (this.options.memoryBytes !== undefined || !running.hasNewer) return budgetBytes
    const now = memoryBudget(this.options, cgroup, running.others)
    if (now.budgetBytes >= budgetBytes) return budgetBytes
    if (now.warning !== undefined) this.log.event('memory', now.warning)
    return now.budgetBytes
  }

  /** Records the finished report in the trace. */
  reported(report: BuildReport): void {
    this.#trace.built(report)
  }

  /** `failure` is the error that the build ends with. */
  async close(failure: unknown): Promise<void> {
    let ended = failure
    try {
      await this.#closeAll(failure)
    } catch (error) {
      // A build has succeeded when its index is live, even if the cleanup failed.
      if (failure === undefined && !this.#published) {
        ended = error
        throw error
      }
      this.log.event('cleanup-failed', `cleaning up failed too: ${String(error)}`)
    } finally {
      this.#trace.end(ended)
    }
  }

  async #closeAll(failure: unknown): Promise<void> {
    try {
      // A failure of one must not keep the others from being closed.
      const ended = await Promise.allSettled([this.#tasks?.close(), this.#cluster?.close()])
      ended.push(...(await Promise.allSettled([this.queues.disposeAll()])))
      for (const each of ended) if (each.status === 'rejected') throw each.reason
    } finally {
      this.#claimed.running.close()
      this.#stop.close()
      this.memory.close()
      this.log.close()
      const published = this.#published
      await this.#workspace.close({ published, keep: !published && canGoOnAfter(failure) })
    }
  }
}

/** Aborted by the caller's signal, or by the build when it cannot continue. */
class StopSignal {
  readonly #controller = new AbortController()
  readonly #given: AbortSignal | undefined
  readonly #onAbort = (): void => this.stop(this.#given?.reason)

  constructor(given: AbortSignal | undefined) {
    this.#given = given
    if (given?.aborted === true) this.#onAbort()
    else given?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  stop(reason: unknown): void {
    this.#controller.abort(reason)
  }

  /** Stops listening to the caller's signal. */
  close(): void {
    this.#given?.removeEventListener('abort', this.#onAbort)
  }
}

function startThreads(
  plan: BuildPlan,
  { signal, stallSeconds }: ResolvedOptions,
  log: BuildLog,
  inOwnThread: boolean,
): WorkerPool {
  return new WorkerPool({
    threads: plan.threads,
    inOwnThread,
    outputBytes: plan.taskOutputBytes,
    signal,
    onRetry: (task, cause) => {
      const reason = messageOf(cause)
      log.event('task-retried', `task ${task} failed (${reason}) and runs once more`)
    },
    onWorkerError: (error) => log.event('worker-error', `a worker thread failed outside its task: ${String(error)}`),
    stall: {
      seconds: stallSeconds,
      error: (task) =>
        new StalledError({
          stage: log.stageName,
          doing: `task ${task} twice gave no answer`,
          stallSeconds,
          rssBytes: process.memoryUsage.rss(),
        }),
    },
  })
}

function traceAttributes(options: ResolvedOptions, budgetBytes: number): Record<string, string | number | undefined> {
  const { metric, engine, quantization, threads, dimensions, count } = options
  return {
    'shardloom.metric': metric,
    'shardloom.engine': engine,
    'shardloom.quantization': quantization,
    'shardloom.threads': threads,
    'shardloom.dimensions': dimensions,
    'shardloom.count': count,
    'shardloom.memory_budget_bytes': budgetBytes,
  }
}
