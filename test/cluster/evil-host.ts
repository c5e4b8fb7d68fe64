/** A host of a build that answers its tasks with what a test says, by BullMQ itself. */
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import type { BuildNotice, Place, TaskDone, TaskJob } from '../../src/cluster/messages.js'
import { BuildBoard } from '../../src/cluster/redis/build-board.js'
import { packageVersion } from '../../src/host/package-version.js'

/** What it returns for a job; it may also throw, or never answer. */
export type Answer = (job: TaskJob, host: EvilHost) => Promise<unknown>

const NOTICE_MS = 300
const BUILDING_MS = 50

export class EvilHost {
  readonly name = 'evil:1:host'
  /** Labels of the tasks that it got. */
  readonly got: string[] = []
  readonly #clients: readonly Redis[]
  readonly #worker: Worker
  readonly #timer: NodeJS.Timeout

  /** Waits for a build, and works for it until the test ends. */
  static async join(url: string, answer: Answer): Promise<EvilHost> {
    const client = new Redis(url, { maxRetriesPerRequest: null })
    const board = new BuildBoard(client)
    for (;;) {
      const [build] = await board.builds()
      if (build !== undefined) return new EvilHost(client, board, build, answer)
      await new Promise((resolve) => setTimeout(resolve, BUILDING_MS))
    }
  }

  private constructor(
    client: Redis,
    board: BuildBoard,
    readonly build: BuildNotice,
    answer: Answer,
  ) {
    this.#clients = [client, client.duplicate()]
    // The test may end Redis first.
    for (const each of this.#clients) each.on('error', () => undefined)
    const report = (): Promise<void> =>
      board.report(build.queue, {
        host: this.name,
        version: packageVersion(),
        state: 'working',
        reason: '',
        threads: 1,
        slots: 1,
        running: 1,
        done: 0,
        busySeconds: 0,
        rssBytes: 1,
        memoryBytes: 2 ** 30,
        at: Date.now(),
      })
    this.#timer = setInterval(() => void report(), NOTICE_MS)
    const run = async ({ data }: { readonly data: TaskJob }): Promise<unknown> => {
      this.got.push(data.label)
      return answer(data, this)
    }
    const settings = { prefix: 'shardloom', name: this.name, lockDuration: 2000, stalledInterval: 500 }
    this.#worker = new Worker<TaskJob>(build.queue, run, { connection: this.#clients[1], ...settings })
    onTestFinished(() => this.close())
  }

  done(job: TaskJob, outcome: Place): TaskDone {
    return { id: job.id, host: this.name, outcome }
  }

  /** Takes no more tasks. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#worker.close(true)
    for (const client of this.#clients) client.disconnect()
  }
}
