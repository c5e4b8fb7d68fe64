import { BufferPool } from '../../../spill/buffer-pool.js'
import type { Logger } from '../../api/build.js'
import { HOST_PROCESS_BYTES } from '../../plan/weigh-stages.js'
import { packageVersion } from '../../host/package-version.js'
import { messageOf } from '../../runtime/realms.js'
import type { WorkerPool } from '../../tasks/worker-pool.js'
import type { HostFiles } from '../files/host-files.js'
import { SharedArrays } from '../files/shared-arrays.js'
import { SharedPaths } from '../files/shared-paths.js'
import type { BuildNotice, HostNotice, TaskDone, TaskJob } from '../messages.js'
import { JobWorker } from '../redis/job-worker.js'
import type { RedisClient } from '../redis/load-redis.js'
import { executeTask } from './execute-task.js'
import { whyOtherFolder } from './marker.js'
import { resultsOfJob } from './results-of-job.js'
import { Rests } from './rests.js'
import { fitsAlone, type HostSize, type SlotsWanted } from './worker-slots.js'

/** What all builds of a worker have in common. */
export interface WorkerHost extends HostSize {
  readonly host: string
  readonly sharedDir: string
  readonly client: RedisClient
  readonly pool: WorkerPool
  readonly logger: Logger
}

/** A build counts as busy for so long after its last task. */
const BUSY_MS = 5000

/** A build that this host runs tasks of, or refuses. */
export class ServedBuild implements SlotsWanted {
  readonly #host: WorkerHost
  readonly #files: HostFiles & { readonly outputs: BufferPool }
  readonly #onChange: () => void
  /** One for each task that runs. */
  readonly #stops = new Set<AbortController>()
  #notice: BuildNotice
  #jobs: JobWorker | undefined
  #opening: Promise<void> | undefined
  #reason = ''
  #slots = 0
  #spareBytes = 0
  #running = 0
  #done = 0
  #busyMs = 0
  #lastTaskMs = Number.NEGATIVE_INFINITY
  #isEnding = false
  #isGone = false
  readonly #rests = new Rests(() => this.#applySlots())

  /** `onChange` is called when the build begins to be busy. */
  constructor(host: WorkerHost, notice: BuildNotice, onChange: () => void) {
    this.#host = host
    this.#notice = notice
    this.#onChange = onChange
    this.#files = {
      paths: new SharedPaths(host.sharedDir),
      results: notice.results,
      arrays: new SharedArrays(notice.hostBytes - HOST_PROCESS_BYTES),
      outputs: new BufferPool(),
    }
  }

  get queue(): string {
    return this.#notice.queue
  }

  get hostBytes(): number {
    return this.#notice.hostBytes
  }

  get taskBytes(): number {
    return this.#notice.taskBytes
  }

  get isBusy(): boolean {
    return this.#running > 0 || performance.now() - this.#lastTaskMs < BUSY_MS
  }

  get running(): number {
    return this.#running
  }

  /** Tasks that it did. */
  get done(): number {
    return this.#done
  }

  get busySeconds(): number {
    return this.#busyMs / 1000
  }

  /** Why this host takes no tasks of it; empty when it does. */
  get reason(): string {
    return this.#reason
  }

  /** Whether the notice is of the same run of the build. */
  isOf({ version, results, marker }: BuildNotice): boolean {
    const own = this.#notice
    return own.version === version && own.results === results && own.marker.text === marker.text
  }

  /** Takes over what the build says now. A new stage has tasks of another size: buffers of the last one go. */
  renew(notice: BuildNotice): void {
    if (notice.stage !== this.#notice.stage) this.#files.outputs.clear()
    this.#notice = notice
  }

  /** Finds out whether this host can work for the build, again and again while it cannot. Then it takes tasks. */
  async check(): Promise<void> {
    if (this.#jobs !== undefined || this.#isEnding) return
    const before = this.#reason
    this.#reason = (await this.#whyNot()) ?? ''
    // It was closed meanwhile: nothing would close what opens now.
    if (this.#isEnding) return
    if (this.#reason !== '') {
      if (this.#reason !== before) this.#host.logger.warn(`build ${this.queue}: this worker ${this.#reason}`)
      return
    }
    this.#opening ??= this.#open()
    await this.#opening
  }

  /** Tasks at once from now on. */
  setSlots(slots: number, spareBytes = 0): void {
    this.#spareBytes = spareBytes
    if (slots === this.#slots) return
    this.#slots = slots
    this.#applySlots()
  }

  notice(rssBytes: number): HostNotice {
    const { host, threads, memoryBytes } = this.#host
    const works = this.#reason === ''
    return {
      host,
      version: packageVersion(),
      state: this.#isEnding ? 'ending' : works ? 'working' : 'refused',
      reason: this.#reason,
      threads,
      slots: works && !this.#isEnding && !this.#rests.isResting ? this.#slots : 0,
      running: this.#running,
      done: this.#done,
      busySeconds: this.busySeconds,
      rssBytes,
      memoryBytes,
      at: Date.now(),
    }
  }

  /** Takes no more tasks, waits for those that run, and gives back what is not done in time. */
  async close(graceSeconds: number): Promise<void> {
    this.#isEnding = true
    this.#rests.close()
    await this.#opening
    await this.#jobs?.close(graceSeconds)
  }

  /** As `close`, for a build that is not there any more: its tasks are given up. */
  async drop(): Promise<void> {
    this.#isGone = true
    for (const stop of this.#stops) stop.abort()
    await this.close(0)
  }

  async #whyNot(): Promise<string | undefined> {
    const { version, hostBytes, taskBytes } = this.#notice
    const own = packageVersion()
    if (version !== own) return `is ${own}, the build ${version}: install the same version`
    if (!fitsAlone(this.#host, this)) {
      const [needed, has] = [hostBytes + taskBytes, this.#host.memoryBytes].map((bytes) => `${megabytes(bytes)} MB`)
      return `has ${has} of memory, and one task of the build needs ${needed}: --memory ${megabytes(hostBytes + taskBytes)}MB`
    }
    return whyOtherFolder(this.#files.paths, this.#notice)
  }

  async #open(): Promise<void> {
    const { client, host, logger } = this.#host
    try {
      this.#jobs = await JobWorker.open(client, this.queue, {
        host,
        lockSeconds: this.#notice.lockSeconds,
        concurrency: this.#slots,
        run: (job, signal) => this.#run(job, signal),
        onTrouble: (message) => this.#tell(message),
      })
      this.#jobs.concurrency = this.#slots
      logger.info(`build ${this.queue}: runs its tasks`)
    } catch (error) {
      this.#opening = undefined
      this.#reason = `cannot take its tasks: ${messageOf(error)}`
      logger.warn(`build ${this.queue}: this worker ${this.#reason}`)
    }
  }

  async #run(job: TaskJob, given: AbortSignal): Promise<TaskDone> {
    const { pool, host, logger } = this.#host
    const wasBusy = this.isBusy
    const stop = new AbortController()
    const onAbort = (): void => stop.abort()
    given.addEventListener('abort', onAbort, { once: true })
    this.#stops.add(stop)
    this.#running++
    if (!wasBusy) this.#onChange()
    try {
      const { done, busyMs, failure } = await executeTask({
        files: { ...this.#files, results: resultsOfJob(job, this.#files.results) },
        pool,
        host,
        job,
        spareBytes: this.#spareBytes,
        signal: stop.signal,
        onLeft: (error) => this.#tell(`files of task ${job.label} are left: ${messageOf(error)}`),
      })
      this.#busyMs += busyMs
      if (failure === undefined) {
        this.#done++
        this.#rests.succeeded()
      } else logger.warn(`build ${this.queue}: task ${job.label} failed: ${failure.message}${this.#rest()}`)
      return done
    } catch (error) {
      const isGivenUp = given.aborted || this.#isGone
      this.#tell(`task ${job.label} ended without an outcome: ${messageOf(error)}${isGivenUp ? '' : this.#rest()}`)
      throw error
    } finally {
      given.removeEventListener('abort', onAbort)
      this.#stops.delete(stop)
      this.#running--
      this.#lastTaskMs = performance.now()
    }
  }

  #applySlots(): void {
    if (this.#jobs !== undefined && !this.#isEnding) this.#jobs.concurrency = this.#rests.isResting ? 0 : this.#slots
  }

  /** Returns the end of a message. */
  #rest(): string {
    const ms = this.#isEnding ? 0 : this.#rests.failed()
    this.#applySlots()
    return ms === 0 ? '' : `; this worker takes no more for ${ms / 1000} s`
  }

  /** Trouble with a build that is gone is none. */
  #tell(message: string): void {
    const { logger } = this.#host
    if (this.#isGone) logger.info(`build ${this.queue} has ended: ${message}`)
    else logger.warn(`build ${this.queue}: ${message}`)
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6)
}
