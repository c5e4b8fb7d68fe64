/** A Redis, a folder and hosts of a test's own, and builds over them that are compared with the build of one machine. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import { pipnnEngine } from '../../dist/src/engines/pipnn/pipnn-engine.js'
import type { BuildOptions, VectorRecord } from '../../dist/src/index.js'
import type { HostNotice } from '../../src/cluster/messages.js'
import { BuildBoard } from '../../src/cluster/redis/build-board.js'
import { build, makeFolder, randomRows, records, segmentsOf, type Built } from '../fixtures/builds.js'
import { startWorker, type Process, type WorkerSettings } from './kill/processes.mjs'
import { startRedis, type RedisServer } from './redis-server.js'

// Several shards of a few rows; the plan refuses smaller ones.
Object.assign(pipnnEngine, { shardMembers: 1100 })

const FAULTY_HOST = fileURLToPath(new URL('kill/faulty-host.mjs', import.meta.url))
export const LOCK_SECONDS = 2

export const rows = randomRows(4000, 16, 1)

/** Begins anywhere, so that the build can be resumed. */
export function* source(startAt: number): Generator<VectorRecord> {
  let row = 0
  for (const record of records(rows)) if (row++ >= startAt) yield record
}

let whole: Promise<Record<string, string>> | undefined
/** Segments of the build on one machine. */
export function wholeSegments(): Promise<Record<string, string>> {
  whole ??= build(source).then(segmentsOf)
  return whole
}

/** What a host does wrong: test/cluster/kill/faulty-host.mjs. */
export interface HostFaults {
  readonly clockSeconds?: number
  readonly refuse?: FileOperations & { readonly code: string }
  readonly delay?: FileOperations & { readonly ms: number }
}

/** Operations whose path and name match these expressions, the first `times` of each thread. */
interface FileOperations {
  readonly path: string
  readonly name?: string
  readonly times: number
}

/** Files that a host makes for the results of tasks. */
export const RESULTS = String.raw`\.(?:done|part|rows)$`

export class ClusterSite {
  readonly sharedDir: string
  readonly redis: RedisServer

  /** Ends with the test. */
  static async open(home = makeFolder()): Promise<ClusterSite> {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    return new ClusterSite(home, redis)
  }

  constructor(home: string, redis: RedisServer) {
    this.sharedDir = join(home, 'shared')
    mkdirSync(this.sharedDir, { recursive: true })
    this.redis = redis
  }

  get cluster(): NonNullable<BuildOptions['cluster']> {
    return { connection: this.redis.url, sharedDir: this.sharedDir, lockSeconds: LOCK_SECONDS }
  }

  /** A host that is ready for builds. It ends with the test. */
  async host(settings: Partial<WorkerSettings> = {}, faults: HostFaults = {}): Promise<Process> {
    const { url } = this.redis
    const worker = startWorker({
      url,
      sharedDir: this.sharedDir,
      ...settings,
      nodeFlags: ['--import', FAULTY_HOST],
      env: { FAULTY_HOST: JSON.stringify(faults), ...settings.env },
    })
    onTestFinished(async () => {
      worker.signal('SIGKILL')
      await worker.ended
    })
    await worker.said('waits for builds')
    return worker
  }

  /** Builds over the hosts, to the bytes of one machine. */
  async build(options: Partial<BuildOptions> = {}): Promise<Built> {
    const { ended } = await this.begin(options)
    return ended()
  }

  /** A build that is under way; `ended` gives it, or throws what it failed with. */
  async begin(options: Partial<BuildOptions> = {}): Promise<{ readonly ended: () => Promise<Built> }> {
    const expected = await wholeSegments()
    const path = join(this.sharedDir, 'an.index')
    const building = build(source, { cluster: this.cluster, stallSeconds: 60, ...options, path })
    const settled = building.then(
      (built) => ({ built }),
      (error: unknown) => ({ error }),
    )
    const ended = async (): Promise<Built> => {
      const end = await settled
      if ('error' in end) throw end.error
      expect(segmentsOf(end.built)).toEqual(expected)
      return end.built
    }
    return { ended }
  }

  /** What hosts say of themselves. */
  async notices(): Promise<HostNotice[]> {
    const client = new Redis(this.redis.url)
    try {
      const board = new BuildBoard(client)
      const all: HostNotice[] = []
      for (const { queue } of await board.builds()) all.push(...(await board.hosts(queue)))
      return all
    } finally {
      client.disconnect()
    }
  }

  /** Resolves when a host has refused to work. */
  async refused(): Promise<void> {
    await this.until(async () => (await this.notices()).some(({ state }) => state === 'refused') || undefined)
  }

  /** Resolves when a host runs a task. */
  async busy(): Promise<void> {
    await this.until(async () => (await this.notices()).some(({ running }) => running > 0) || undefined)
  }

  /** Resolves when `isSo` does not answer undefined, with its answer. */
  async until<Answer>(isSo: () => Promise<Answer | undefined> | Answer | undefined): Promise<Answer> {
    for (;;) {
      const answer = await isSo()
      if (answer !== undefined) return answer
      await sleep(50)
    }
  }
}

/** Messages of the events of a kind. */
export function eventsOf({ report }: Built, kind: string): string[] {
  return report.events.filter((event) => event.kind === kind).map(({ message }) => message)
}

/** Tasks that hosts did. */
export function tasksOf({ report }: Built): number {
  return (report.hosts ?? []).reduce((sum, { tasks }) => sum + tasks, 0)
}
