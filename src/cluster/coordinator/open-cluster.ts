import { messageOf } from '../../runtime/realms.js'
import { packageVersion } from '../../host/package-version.js'
import type { BuildPlan } from '../../plan/plan-build.js'
import type { TaskRunner } from '../../tasks/task-runner.js'
import type { ResolvedCluster } from '../../options/resolve-options.js'
import type { HostProgress } from '../../api/build.js'
import type { HostReport, StageName } from '../../api/report.js'
import { TaskFiles } from '../files/task-files.js'
import type { BuildNotice } from '../messages.js'
import { BuildBoard } from '../redis/build-board.js'
import { closeRedis, connectRedis } from '../redis/connect-redis.js'
import { JobQueue } from '../redis/job-queue.js'
import type { RedisClient } from '../redis/load-redis.js'
import { RedisHealth } from '../redis/redis-health.js'
import { settlesWithin } from '../redis/settles-within.js'
import { shownUrl } from '../redis/shown-url.js'
import { BuildWatch } from './build-watch.js'
import { ClusterRunner } from './cluster-runner.js'
import { GivenTasks } from './given-tasks.js'
import { HeldOutputs } from './held-outputs.js'
import { HostList } from './host-list.js'
import { checkFolders, queueName, resultsFolder, writeMarker } from './shared-folder.js'
import { TroubleLog } from './trouble-log.js'

/** A host is dead when it is silent for this much longer than its tasks are locked. */
const SILENT_EXTRA_SECONDS = 5

/** What the runner of a build uses of it. */
export interface ClusterBuild {
  /** Names the build's queue: the same for each run of it. */
  readonly indexDir: string
  /** The folder of its temporary files, inside the shared folder. */
  readonly spillDir: string
  /** Ends the names of what this run alone writes. */
  readonly runSuffix: string
  readonly signal: AbortSignal
  readonly stallSeconds: number
  readonly onEvent: (kind: string, message: string) => void
  readonly stageName: () => StageName
}

/** The hosts of one build. */
export interface Cluster {
  /** Asks for hosts, and runs the tasks of the planned build on them; `local` runs those that stay here. */
  start(plan: BuildPlan, local: TaskRunner): TaskRunner
  /** Hosts that are or were there, in the order of their names. */
  readonly hosts: readonly HostReport[]
  /** What those that work do now, in the same order. Asked for ten times a second. */
  readonly progress: readonly HostProgress[]
  /** Takes the build's jobs and notices out of Redis, and ends the connections. */
  close(): Promise<void>
}

/** Connects to Redis and checks the shared folder. @throws MissingPackageError, ClusterError, InvalidOptionError */
export async function openCluster(options: ResolvedCluster, build: ClusterBuild): Promise<Cluster> {
  const folders = { ...build, sharedDir: options.sharedDir }
  await checkFolders(folders)
  const trouble = new TroubleLog((message) => build.onEvent('cluster-error', message))
  // A lost connection is told once, by what watches it.
  const onTrouble = (message: string): void => {
    if (!LOST_CONNECTION.test(message)) trouble.add(message)
  }
  const client = await connectRedis(options.connection, 'a build on many hosts')
  const board = new BuildBoard(client)
  const name = queueName(folders)
  const results = resultsFolder(folders)
  const files = new TaskFiles(options.sharedDir, results)
  try {
    await files.open()
    const marker = await writeMarker(results, files.relativeFolder)
    // The notice of an earlier run, and its hosts; those that are there say so again within a second.
    await board.withdraw(name)
    const queue = await JobQueue.open(client, name, { onTrouble })
    return new OpenCluster(options, build, { client, board, queue, files, trouble, onTrouble, name, marker })
  } catch (error) {
    await closeRedis(client)
    await files.close()
    throw error
  }
}

/** What is open for a build. */
interface Opened {
  readonly client: RedisClient
  readonly board: BuildBoard
  readonly queue: JobQueue
  readonly files: TaskFiles
  readonly trouble: TroubleLog
  readonly onTrouble: (message: string) => void
  readonly name: string
  readonly marker: BuildNotice['marker']
}

const CLOSE_MS = 5000
const LOST_CONNECTION = /\bE(?:CONNREFUSED|CONNRESET|PIPE|TIMEDOUT)\b|Connection is closed|Socket timeout/

class OpenCluster implements Cluster {
  readonly #options: ResolvedCluster
  readonly #build: ClusterBuild
  readonly #opened: Opened
  readonly #list: HostList
  readonly #health: RedisHealth
  #given: GivenTasks | undefined
  #watch: BuildWatch | undefined
  #closing: Promise<void> | undefined

  constructor(options: ResolvedCluster, build: ClusterBuild, opened: Opened) {
    this.#options = options
    this.#build = build
    this.#opened = opened
    this.#list = new HostList(1000 * (options.lockSeconds + SILENT_EXTRA_SECONDS))
    const where = shownUrl(options.connection)
    this.#health = new RedisHealth(opened.client, {
      onLost: (reason) => build.onEvent('redis-lost', `Redis at ${where} is away (${reason}): hosts go on and wait`),
      onBack: (seconds) => build.onEvent('redis-back', `Redis at ${where} is back after ${seconds.toFixed(1)} s`),
    })
  }

  get hosts(): readonly HostReport[] {
    return this.#list.reports
  }

  get progress(): readonly HostProgress[] {
    return this.#list.progress
  }

  start(plan: BuildPlan, local: TaskRunner): TaskRunner {
    const { signal, stallSeconds, stageName, onEvent } = this.#build
    const { board, queue, files, name, marker, onTrouble } = this.#opened
    const nowMs = (): number => performance.now()
    const version = packageVersion()
    const hosts = this.#list
    // What the plan has for the outputs of local threads: two more than there are threads.
    const outputs = new HeldOutputs(plan.threads + 2, plan.taskOutputBytes)
    const parts = { version, queue, files, hosts, outputs, signal, stallSeconds, onEvent, stageName, nowMs }
    const given = new GivenTasks({ ...parts, onTrouble })
    this.#given = given
    queue.onActive((id) => given.onActive(id))
    queue.onStalled((id) => given.onWaiting(id))
    queue.onDone((done) => given.onDone(done))
    queue.onFailed((id, reason, host) => given.onFailed(id, reason, host))
    const { connection, sharedDir, lockSeconds } = this.#options
    const { hostBytes, taskBytes } = plan
    const results = files.relativeFolder
    const facts = { queue: name, version, marker, results, hostBytes, taskBytes, lockSeconds }
    this.#watch = new BuildWatch({
      board,
      hosts,
      given,
      nowMs,
      onEvent,
      onTrouble,
      notice: () => ({ ...facts, stage: stageName(), at: Date.now() }),
      howToStart: `shardloom worker --cluster ${shownUrl(connection)} --shared-dir ${sharedDir}`,
    })
    return new ClusterRunner({ given, shareFile: (value) => files.share(value), hosts, outputs, local, signal })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Everything is closed, also where Redis is away: nothing may wait for it then. */
  async #close(): Promise<void> {
    const { client, board, queue, files, trouble, onTrouble, name } = this.#opened
    this.#watch?.stop()
    if (!this.#health.isLost) {
      await settlesWithin(CLOSE_MS, Promise.all([this.#given?.close()]))
      const withdrawn = board.withdraw(name).then(
        () => true,
        (error: unknown) => onTrouble(`the notice of the build stays in Redis: ${messageOf(error)}`),
      )
      await settlesWithin(CLOSE_MS, withdrawn)
    }
    await queue.close()
    this.#health.close()
    await closeRedis(client)
    await this.#watch?.ended
    await this.#given?.close()
    trouble.end()
    await files.close()
  }
}
