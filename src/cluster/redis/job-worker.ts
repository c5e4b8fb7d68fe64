import { randomUUID } from 'node:crypto'
import type { Job, Worker } from 'bullmq'
import { ClusterError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import type { TaskDone, TaskJob } from '../messages.js'
import { checkDone, checkJob } from './check-messages.js'
import { closeBlocking } from './close-blocking.js'
import { encodeFailedJob } from './failed-job.js'
import { LateResults } from './late-results.js'
import { loadRedis, type RedisClient } from './load-redis.js'
import { lostConnection } from './lost-connection.js'
import { notesOf, queueOptions, workerOptions } from './queue-options.js'
import { settlesWithin } from './settles-within.js'

/** After a failure that is not a lost connection, which waits by itself. */
const FETCH_AGAIN_MS = 500
const CLOSE_MS = 2000
/** What a queue that is still there needs of its notes is noted again at any time. */
const NOTES_MS = 24 * 3600_000

export interface JobWorkerOptions {
  /** The name of this host, without spaces. */
  readonly host: string
  readonly lockSeconds: number
  /** Jobs at once; 0: none for now. */
  readonly concurrency: number
  /**
   * Does a job. What it returns is reported; when it throws, the job fails with its message. The signal fires when the
   * job was given back: nothing is reported then. A job that another host has by now, because this one was away for too
   * long, runs on: the first result counts.
   */
  readonly run: (job: TaskJob, signal: AbortSignal) => Promise<TaskDone>
  /** Is told of what went wrong in Redis and is not the work of `run`. */
  readonly onTrouble: (message: string) => void
}

interface Running {
  readonly job: Job
  readonly token: string
  /** Fires when the job is given back. */
  readonly abort: AbortController
  /** lost: it has no lock any more, and runs on. ending: its end is on the way to Redis, which releases the lock. */
  phase: 'locked' | 'lost' | 'ending'
}

type FindJob = (id: string) => Promise<Job | undefined>

/**
 * A host's end of the queue of a build. It fetches by itself (BullMQ: "manually fetching jobs"), so that the number of
 * jobs can change at any time, and jobs can be given back while they run. While Redis is away it waits: running jobs go
 * on, and are reported when Redis is back.
 */
export class JobWorker {
  readonly #client: RedisClient
  readonly #worker: Worker
  readonly #lateResults: LateResults
  readonly #findJob: FindJob
  readonly #options: JobWorkerOptions
  readonly #lockMs: number
  readonly #running = new Map<string, Running>()
  readonly #renewal: NodeJS.Timeout
  readonly #fetching: Promise<void>
  /** Wait until a job ends, or a slot is free. */
  readonly #waiting: (() => void)[] = []
  #isRenewing = false
  #concurrency: number
  #paused = false
  #closing: Promise<void> | undefined
  #reported = 0
  #late = 0

  private constructor(
    client: RedisClient,
    worker: Worker,
    late: LateResults,
    find: FindJob,
    options: JobWorkerOptions,
  ) {
    this.#client = client
    this.#worker = worker
    this.#lateResults = late
    this.#findJob = find
    this.#options = options
    this.#concurrency = options.concurrency
    this.#lockMs = options.lockSeconds * 1000
    this.#renewal = setInterval(() => void this.#renewLocks(), this.#lockMs / 4)
    this.#fetching = this.#fetchJobs()
  }

  /** The connection stays its caller's. @throws MissingPackageError, ClusterError */
  static async open(client: RedisClient, queue: string, options: JobWorkerOptions): Promise<JobWorker> {
    const { bullmq } = await loadRedis()
    const worker = new bullmq.Worker(queue, null, {
      ...queueOptions(client),
      ...workerOptions(options.lockSeconds),
      name: options.host,
      autorun: false,
    })
    worker.on('error', (error) => {
      if (!lostConnection(error)) options.onTrouble(`queue ${queue}: ${error.message}`)
    })
    try {
      await worker.waitUntilReady()
      await worker.startStalledCheckTimer()
    } catch (error) {
      await worker.close(true)
      throw new ClusterError(`the queue ${queue} cannot be opened: ${messageOf(error)}`)
    }
    const find: FindJob = (id) => bullmq.Job.fromId(worker, id)
    return new JobWorker(client, worker, new LateResults(client, queue), find, options)
  }

  /** Jobs that run. */
  get running(): number {
    return this.#running.size
  }

  /** Jobs that were reported as done. */
  get reported(): number {
    return this.#reported
  }

  /** Jobs that were reported when they were another host's by now, or forgotten by Redis. */
  get late(): number {
    return this.#late
  }

  get concurrency(): number {
    return this.#concurrency
  }

  /** Jobs at once from now on; what runs goes on. 0: none for now. */
  set concurrency(jobs: number) {
    this.#concurrency = jobs
    this.#wake()
  }

  /** Takes no more jobs; what runs goes on. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#wake()
  }

  /**
   * Takes no more jobs and puts those that run at the head of the queue, for other hosts; their signals fire. While
   * Redis is away they go to others after the lock time instead. Returns how many were put back.
   */
  async giveBack(): Promise<number> {
    this.pause()
    const giving = [...this.#running.values()].map((running) =>
      running.phase === 'ending' ? this.#awaitEnd(running) : this.#putBack(running),
    )
    const back = await Promise.all(giving)
    return back.filter((isBack) => isBack).length
  }

  /** Takes no more jobs, waits for those that run, gives back what is not done in time, and ends. */
  close(graceSeconds: number): Promise<void> {
    this.#closing ??= this.#close(graceSeconds)
    return this.#closing
  }

  async #close(graceSeconds: number): Promise<void> {
    this.pause()
    const until = performance.now() + graceSeconds * 1000
    while (this.#running.size > 0 && performance.now() < until) {
      await settlesWithin(until - performance.now(), this.#nextWake())
    }
    await this.giveBack()
    clearInterval(this.#renewal)
    const blocking = this.#worker.getBackend().blockingClient
    const ended = this.#worker.close(true)
    this.#wake()
    if (blocking !== undefined) await closeBlocking(await blocking, this.#fetching)
    await ended
    await settlesWithin(CLOSE_MS, this.#forgetNotes())
  }

  /** The queue may be gone by now, and looking for stalled jobs has noted something of it again. */
  async #forgetNotes(): Promise<void> {
    try {
      await this.#client.pexpire(notesOf(this.#worker.name), NOTES_MS)
    } catch (error) {
      this.#options.onTrouble(`notes of the queue ${this.#worker.name} stay in Redis: ${messageOf(error)}`)
    }
  }

  async #fetchJobs(): Promise<void> {
    while (this.#closing === undefined) {
      if (!this.#hasFreeSlot()) {
        await this.#nextWake()
        continue
      }
      const token = randomUUID()
      const job = await this.#fetchJob(token)
      if (job === undefined) continue
      const running: Running = { job, token, abort: new AbortController(), phase: 'locked' }
      this.#running.set(token, running)
      // It came while jobs were given back, or the number of slots was lowered.
      if (!this.#hasFreeSlot(1)) await this.#putBack(running)
      else void this.#work(running)
    }
  }

  /** Undefined after some seconds without a job, and after a failure. */
  async #fetchJob(token: string): Promise<Job | undefined> {
    try {
      return (await this.#worker.getNextJob(token)) as Job | undefined
    } catch (error) {
      if (this.#closing === undefined) {
        this.#options.onTrouble(`no job can be fetched: ${messageOf(error)}`)
        await settlesWithin(FETCH_AGAIN_MS, this.#nextWake())
      }
      return undefined
    }
  }

  #hasFreeSlot(taken = 0): boolean {
    return !this.#paused && this.#running.size - taken < this.#concurrency
  }

  #nextWake(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Does a job and reports it; never rejects. */
  async #work(running: Running): Promise<void> {
    const { job, token, abort } = running
    try {
      const data = checkJob(job.data)
      const end =
        data === undefined
          ? new Error('its data in Redis are not readable')
          : await this.#options.run(data, abort.signal).catch((error: unknown) => new Error(messageOf(error)))
      if (abort.signal.aborted) return
      running.phase = 'ending'
      if ('outcome' in end) await this.#report(running, end)
      else await job.moveToFailed(new Error(encodeFailedJob(this.#options.host, end.message)), token, false)
    } catch (error) {
      this.#options.onTrouble(`the end of job ${String(job.id)} is not reported: ${messageOf(error)}`)
    } finally {
      this.#running.delete(token)
      this.#wake()
    }
  }

  async #report({ job, token }: Running, done: TaskDone): Promise<void> {
    try {
      await job.moveToCompleted(done, token, false)
      this.#reported++
    } catch (error) {
      const id = String(job.id)
      // A command is sent again when its answer was lost with the connection: the first one may have done it.
      const stored = await this.#findJob(id)
      if (checkDone(stored?.returnvalue)?.outcome.file === done.outcome.file) {
        this.#reported++
        return
      }
      this.#options.onTrouble(`the result of job ${id} is late: ${messageOf(error)}`)
      await this.#lateResults.put(id, done)
      this.#late++
    }
  }

  /** Its end is on the way: it is not given back. */
  async #awaitEnd({ token }: Running): Promise<false> {
    const until = performance.now() + CLOSE_MS
    while (this.#running.has(token) && performance.now() < until) {
      await settlesWithin(until - performance.now(), this.#nextWake())
    }
    return false
  }

  /** Whether it waits in the queue again. */
  async #putBack({ job, token, abort, phase }: Running): Promise<boolean> {
    abort.abort()
    try {
      if (phase === 'lost') return false
      const moved = job.moveToWait(token).then(() => true)
      if (await settlesWithin(CLOSE_MS, moved)) return true
      throw new Error(`no answer within ${CLOSE_MS / 1000} s`)
    } catch (error) {
      this.#options.onTrouble(
        `job ${String(job.id)} is not given back, and waits for the lock time: ${messageOf(error)}`,
      )
      return false
    } finally {
      this.#running.delete(token)
      this.#wake()
    }
  }

  async #renewLocks(): Promise<void> {
    const held = [...this.#running.values()].filter(({ phase, abort }) => phase === 'locked' && !abort.signal.aborted)
    if (held.length === 0 || this.#isRenewing) return
    this.#isRenewing = true
    try {
      const ids = held.map(({ job }) => String(job.id))
      const tokens = held.map(({ token }) => token)
      const lost = new Set(await this.#worker.extendJobLocks(ids, tokens, this.#lockMs))
      for (const running of held) {
        if (running.phase !== 'locked' || !lost.has(String(running.job.id))) continue
        running.phase = 'lost'
        this.#options.onTrouble(`the lock of job ${String(running.job.id)} is lost: another host will do it too`)
      }
    } catch (error) {
      this.#options.onTrouble(`locks cannot be renewed: ${messageOf(error)}`)
    } finally {
      this.#isRenewing = false
    }
  }
}
