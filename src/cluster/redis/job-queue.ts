import { randomBytes } from 'node:crypto'
import type { Job, Queue, QueueEvents } from 'bullmq'
import { ClusterError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import type { TaskDone, TaskJob } from '../messages.js'
import { checkDone } from './check-messages.js'
import { closeBlocking } from './close-blocking.js'
import { decodeFailedJob } from './failed-job.js'
import { LateResults } from './late-results.js'
import { loadRedis, type RedisClient } from './load-redis.js'
import { lostConnection } from './lost-connection.js'
import { queueOptions } from './queue-options.js'
import { settlesWithin } from './settles-within.js'

/** Finished jobs that nobody removed: the coordinator removes those that it has accepted. */
const KEPT = { count: 10_000 }
/** How long each end is waited for; nothing is to be expected of a Redis that is away. */
const CLOSE_MS = { there: 5000, away: 500 }
const FOLLOW_AGAIN_MS = 1000

/**
 * unknown: Redis has lost it, or never had it. host: who took it last. done: when it is done; reason: when it failed.
 */
export interface JobState {
  readonly state: 'waiting' | 'active' | 'done' | 'failed' | 'unknown'
  readonly host?: string
  readonly done?: TaskDone
  readonly reason?: string
}

export interface JobQueueOptions {
  /** Is told of what went wrong and is not an error of a call: events that cannot be followed, jobs that stay behind. */
  readonly onTrouble: (message: string) => void
}

type DoneListener = (done: TaskDone) => void
type FailedListener = (id: string, reason: string, host: string | undefined) => void
type IdListener = (id: string) => void

/**
 * The coordinator's end of the queue of a build. Jobs are known by the ids of their tasks; in Redis each run of a build
 * has ids of its own, so that nothing of an earlier run is taken for one of this run.
 */
export class JobQueue {
  readonly #client: RedisClient
  readonly #queue: Queue
  readonly #late: LateResults
  readonly #follow: () => QueueEvents
  readonly #options: JobQueueOptions
  readonly #run = randomBytes(4).toString('hex')
  readonly #onDone: DoneListener[] = []
  readonly #onFailed: FailedListener[] = []
  readonly #onActive: IdListener[] = []
  readonly #onStalled: IdListener[] = []
  /** Ids that were in no list when they were last looked for: between two lists, or lost. */
  #unlisted = new Set<string>()
  #following: Following
  #followTimer: NodeJS.Timeout | undefined
  #closing = false

  private constructor(client: RedisClient, queue: Queue, follow: () => QueueEvents, options: JobQueueOptions) {
    this.#client = client
    this.#queue = queue
    this.#late = new LateResults(client, queue.name)
    this.#follow = follow
    this.#options = options
    this.#following = this.#followEvents()
  }

  /** Removes what an earlier run of the build left. The connection stays its caller's. @throws MissingPackageError, ClusterError */
  static async open(client: RedisClient, name: string, options: JobQueueOptions): Promise<JobQueue> {
    const { bullmq } = await loadRedis()
    const queue = new bullmq.Queue(name, { ...queueOptions(client), skipMetasUpdate: true })
    queue.on('error', (error) => {
      if (!lostConnection(error)) options.onTrouble(`queue ${name}: ${error.message}`)
    })
    try {
      await queue.waitUntilReady()
      await queue.obliterate({ force: true })
      await new LateResults(client, name).clear()
    } catch (error) {
      await queue.close()
      throw failed(`the queue ${name} cannot be emptied`, error)
    }
    // From the beginning of the stream: obliterate has emptied it, and no event of this run is missed.
    let from = '0-0'
    const follow = (): QueueEvents => {
      const events = new bullmq.QueueEvents(name, { ...queueOptions(client), lastEventId: from, autorun: false })
      from = '$'
      return events
    }
    return new JobQueue(client, queue, follow, options)
  }

  /** Puts a job at the end of the queue; one that is there already stays as it is. @throws ClusterError */
  async add(job: TaskJob): Promise<void> {
    const id = this.#jobId(job.id)
    try {
      // A job that no list has is never taken, and its name would be in the way.
      if (this.#unlisted.delete(job.id)) await this.#queue.remove(id)
      const kept = { removeOnComplete: KEPT, removeOnFail: KEPT, stackTraceLimit: 0 }
      await this.#queue.add(job.name, job, { jobId: id, attempts: 1, ...kept })
    } catch (error) {
      throw failed(`job ${job.id} cannot be queued`, error)
    }
  }

  /** False when a host works on it: it then stays until it is done. @throws ClusterError */
  async remove(id: string): Promise<boolean> {
    try {
      return (await this.#queue.remove(this.#jobId(id))) === 1
    } catch (error) {
      throw failed(`job ${id} cannot be removed`, error)
    }
  }

  onDone(listener: DoneListener): void {
    this.#onDone.push(listener)
  }

  /** A host could not write the outcome, or what it says in Redis is not readable. */
  onFailed(listener: FailedListener): void {
    this.#onFailed.push(listener)
  }

  /** A host has taken the job. */
  onActive(listener: IdListener): void {
    this.#onActive.push(listener)
  }

  /** Its host did not renew the lock: the job waits again. */
  onStalled(listener: IdListener): void {
    this.#onStalled.push(listener)
  }

  /**
   * What Redis knows of jobs, whatever events were missed. Results that came late are told like others meanwhile.
   * @throws ClusterError
   */
  async states(ids: readonly string[]): Promise<Map<string, JobState>> {
    try {
      // One after the other on one connection, without waiting: lists first, so that a job that is in none of them then
      // is seen as done, or is looked for once more.
      const [waiting, active, ...jobs] = await Promise.all([
        this.#queue.getRanges(['wait'], 0, -1),
        this.#queue.getRanges(['active'], 0, -1),
        ...ids.map((id) => this.#queue.getJob(this.#jobId(id)) as Promise<Job | undefined>),
      ])
      const waits = new Set(waiting)
      const runs = new Set(active)
      const unlisted = new Set<string>()
      const stateOf = (id: string, job: Job | undefined): JobState => {
        if (job === undefined) return { state: 'unknown' }
        if (job.finishedOn !== undefined) return finishedState(id, job)
        const host = job.processedBy
        if (runs.has(this.#jobId(id))) return { state: 'active', host }
        if (waits.has(this.#jobId(id))) return { state: 'waiting', host }
        unlisted.add(id)
        return this.#unlisted.has(id) ? { state: 'unknown' } : { state: 'waiting', host }
      }
      const states = new Map(ids.map((id, i) => [id, stateOf(id, jobs[i])] as const))
      this.#unlisted = unlisted
      await this.#takeLate()
      return states
    } catch (error) {
      throw failed('the states of jobs cannot be read', error)
    }
  }

  async #takeLate(): Promise<void> {
    for (const [jobId, done] of await this.#late.take()) {
      const id = this.#taskId(jobId)
      // A host of an earlier run: its files go with the folder of that run.
      if (id === undefined) continue
      if (done?.id === id) tell(this.#onDone, done)
      else this.#options.onTrouble(`the late result of job ${id} is not readable`)
    }
  }

  /** Takes the queue out of Redis; when Redis is not there it stays, which is told, until the build runs again. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    clearTimeout(this.#followTimer)
    await this.#ended(endEvents(this.#following), 'the events of the queue are still followed')
    const isLost = this.#client.status !== 'ready'
    const emptied = isLost ? Promise.reject(new Error('Redis is away')) : this.#empty()
    await this.#ended(emptied, `jobs of queue ${this.#queue.name} stay in Redis until the build runs again`)
    await this.#ended(this.#queue.close(), 'the queue is still open')
  }

  async #empty(): Promise<void> {
    await this.#queue.obliterate({ force: true })
    await this.#late.clear()
  }

  async #ended(ending: Promise<void>, otherwise: string): Promise<void> {
    const limit = CLOSE_MS[this.#client.status === 'ready' ? 'there' : 'away']
    const ended = ending.then(() => true)
    try {
      if (await settlesWithin(limit, ended)) return
      this.#options.onTrouble(`${otherwise}: no answer within ${limit / 1000} s`)
    } catch (error) {
      this.#options.onTrouble(`${otherwise}: ${messageOf(error)}`)
    }
  }

  #jobId(id: string): string {
    return `${this.#run}-${id}`
  }

  /** The id of the task; undefined for a job that is not of this run. */
  #taskId(jobId: string): string | undefined {
    return jobId.startsWith(`${this.#run}-`) ? jobId.slice(this.#run.length + 1) : undefined
  }

  #followEvents(): Following {
    const events = this.#follow()
    events.on('error', (error) => {
      if (!lostConnection(error)) this.#options.onTrouble(`events of the queue: ${error.message}`)
    })
    events.on('completed', ({ jobId, returnvalue }) => {
      this.#told(jobId, (id) => this.#tellFinished(id, doneState(id, returnvalue)))
    })
    events.on('failed', ({ jobId, failedReason }) => {
      this.#told(jobId, (id) => this.#tellFinished(id, failedState(failedReason)))
    })
    events.on('active', ({ jobId }) => this.#told(jobId, (id) => tell(this.#onActive, id)))
    events.on('stalled', ({ jobId }) => this.#told(jobId, (id) => tell(this.#onStalled, id)))
    const loop = events.run()
    loop.catch((error: unknown) => this.#followAgain({ events, loop }, messageOf(error)))
    return { events, loop }
  }

  /** An event that is not readable ends BullMQ's loop; the states of jobs tell what was missed. */
  #followAgain(following: Following, reason: string): void {
    if (this.#closing) return
    this.#options.onTrouble(`events of the queue are followed again from now on: ${reason}`)
    void this.#ended(endEvents(following), 'the events of the queue are still followed')
    this.#followTimer = setTimeout(() => {
      this.#following = this.#followEvents()
    }, FOLLOW_AGAIN_MS)
  }

  #told(jobId: string, listener: (id: string) => void): void {
    const id = this.#taskId(jobId)
    if (id !== undefined) listener(id)
  }

  #tellFinished(id: string, { done, reason, host }: JobState): void {
    if (done !== undefined) tell(this.#onDone, done)
    else tell(this.#onFailed, id, reason ?? '', host)
  }
}

interface Following {
  readonly events: QueueEvents
  /** Settles when the events are not followed any more. */
  readonly loop: Promise<void>
}

async function endEvents({ events, loop }: Following): Promise<void> {
  const ended = events.close()
  // BullMQ waits for an end that does not come while the connection is lost.
  await closeBlocking(await events.getBackend().client, loop)
  await ended
}

function tell<Args extends unknown[]>(listeners: readonly ((...args: Args) => void)[], ...args: Args): void {
  for (const listener of listeners) listener(...args)
}

function finishedState(id: string, { returnvalue, failedReason }: Job): JobState {
  return failedReason === undefined ? doneState(id, returnvalue) : failedState(failedReason)
}

function doneState(id: string, value: unknown): JobState {
  const done = checkDone(value)
  if (done?.id === id) return { state: 'done', done, host: done.host }
  return { state: 'failed', reason: 'what Redis has as its result is not readable' }
}

function failedState(text: unknown): JobState {
  return { state: 'failed', ...decodeFailedJob(text) }
}

function failed(what: string, error: unknown): ClusterError {
  return new ClusterError(`${what}: ${messageOf(error)}`)
}
