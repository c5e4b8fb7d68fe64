import { InvalidOptionError } from '../../errors.js'
import { promisedText } from '../../wording/value-kind.js'
import { NO_TRACE, type BuildTrace } from './build-trace.js'
import type { BuildEvent, StageName, StageReport } from '../../api/report.js'
import type { HostProgress, Logger, ProgressEvent } from '../../api/build.js'

const SAMPLE_MS = 250
/** The shortest interval between two progress events: a progress line is for people. */
const PROGRESS_MS = 100

/** `vectorsDone`: vectors that the stage has processed; undefined when it does not count vectors. */
export type WatchMemory = (
  rssBytes: number,
  atSeconds: number,
  stage: StageName,
  vectorsDone: number | undefined,
) => void

/**
 * Records the stages of a build with their times and highest RSS, its events and its progress. Samples the process
 * every 250 ms until closed.
 */
export class BuildLog {
  readonly #logger: Logger
  readonly #onProgress: ((event: ProgressEvent) => void) | undefined
  readonly #budgetBytes: number
  readonly #startedMs = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #stages: StageReport[] = []
  readonly #events: BuildEvent[] = []
  readonly #trace: BuildTrace
  #spilledBytes: () => number = () => 0
  #pressure: () => ProgressEvent['pressure'] = () => 'normal'
  #hosts: (() => readonly HostProgress[]) | undefined
  #watchMemory: WatchMemory = () => undefined
  #stage: { name: StageName; startedMs: number; peakRssBytes: number } | undefined
  #progress: { done: number; total: number | undefined; unit: string } = { done: 0, total: undefined, unit: '' }
  #progressMs = 0
  #peakRssBytes = 0
  #callbackError: { readonly error: unknown } | undefined

  constructor(options: {
    logger: Logger
    onProgress: ((event: ProgressEvent) => void) | undefined
    budgetBytes: number
    trace?: BuildTrace
  }) {
    this.#trace = options.trace ?? NO_TRACE
    this.#logger = options.logger
    this.#onProgress = options.onProgress
    this.#budgetBytes = options.budgetBytes
    this.#timer = setInterval(() => {
      this.#sample()
      this.#emit()
    }, SAMPLE_MS)
  }

  /** Sets the source of the spilled bytes in progress events. */
  watchSpill(spilledBytes: () => number): void {
    this.#spilledBytes = spilledBytes
  }

  /** Sets the source of the pressure in progress events. */
  watchPressure(pressure: () => ProgressEvent['pressure']): void {
    this.#pressure = pressure
  }

  /** Sets the source of the hosts in progress events. */
  watchHosts(hosts: () => readonly HostProgress[]): void {
    this.#hosts = hosts
  }

  /** Sets the function that receives every sample of memory. */
  watchMemory(watch: WatchMemory): void {
    this.#watchMemory = watch
  }

  /** The running stage. */
  get stageName(): StageName {
    return this.#stage?.name ?? 'plan'
  }

  /** Runs one stage, and records its time and its highest RSS. */
  async stage<Result>(name: StageName, body: () => Promise<Result>): Promise<Result> {
    this.#stage = { name, startedMs: performance.now(), peakRssBytes: 0 }
    this.#progress = { done: 0, total: undefined, unit: '' }
    this.#progressMs = 0
    this.#sample()
    const span = this.#trace.stage(name)
    let failure: unknown
    try {
      const result = await body()
      this.#throwCallbackError()
      return result
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#sample()
      this.#emit()
      const { startedMs, peakRssBytes } = this.#stage
      const seconds = (performance.now() - startedMs) / 1000
      const atSeconds = round((startedMs - this.#startedMs) / 1000)
      this.#stages.push({ name, atSeconds, seconds: round(seconds), peakRssBytes })
      span.end(
        { 'shardloom.peak_memory_bytes': peakRssBytes, 'shardloom.spilled_bytes': this.#spilledBytes() },
        failure,
      )
      this.#call('logger.info', () => this.#logger.info(`stage ${name}: ${seconds.toFixed(2)} s`))
    }
  }

  progress(done: number, total: number | undefined, unit: string): void {
    this.#progress = { done, total, unit }
    if (performance.now() - this.#progressMs >= PROGRESS_MS) this.#emit()
    this.#throwCallbackError()
  }

  /** Adds an event to the report, and logs it as a warning. */
  event(kind: string, message: string): void {
    const stage = this.stageName
    this.#events.push({ kind, stage, message, atSeconds: round(this.elapsedSeconds) })
    this.#call('logger.warn', () => this.#logger.warn(message))
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#startedMs) / 1000
  }

  get stages(): readonly StageReport[] {
    return this.#stages
  }

  get events(): readonly BuildEvent[] {
    return this.#events
  }

  get peakRssBytes(): number {
    this.#sample()
    return this.#peakRssBytes
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #sample(): number {
    const rssBytes = process.memoryUsage.rss()
    this.#peakRssBytes = Math.max(this.#peakRssBytes, rssBytes)
    if (this.#stage) this.#stage.peakRssBytes = Math.max(this.#stage.peakRssBytes, rssBytes)
    const { done, unit } = this.#progress
    this.#watchMemory(rssBytes, this.elapsedSeconds, this.stageName, unit === 'vectors' ? done : undefined)
    return rssBytes
  }

  #emit(): void {
    if (this.#onProgress === undefined || this.#stage === undefined) return
    const { done, total, unit } = this.#progress
    const now = performance.now()
    this.#progressMs = now
    const stageSeconds = (now - this.#stage.startedMs) / 1000
    const rate = stageSeconds > 0 ? done / stageSeconds : 0
    const event: ProgressEvent = {
      stage: this.#stage.name,
      done,
      total,
      unit,
      rate,
      etaSeconds: total !== undefined && rate > 0 ? (total - done) / rate : undefined,
      elapsedSeconds: this.elapsedSeconds,
      rssBytes: this.#sample(),
      budgetBytes: this.#budgetBytes,
      spilledBytes: this.#spilledBytes(),
      pressure: this.#pressure(),
      ...(this.#hosts !== undefined && { hosts: this.#hosts() }),
    }
    const onProgress = this.#onProgress
    this.#call('onProgress', () => onProgress(event))
  }

  /**
   * The caller's function may throw, even when a timer calls it, or be async. The stage then fails with that error.
   */
  #call(name: string, call: () => unknown): void {
    try {
      const promised = promisedText(name, call())
      if (promised !== undefined) throw new InvalidOptionError(promised)
    } catch (error) {
      this.#callbackError ??= { error }
    }
  }

  #throwCallbackError(): void {
    if (this.#callbackError !== undefined) throw this.#callbackError.error
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
