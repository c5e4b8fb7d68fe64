/** One try: a folder that all hosts share, a Redis, workers, and what must hold when the builds are done. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Coordinator, startWorker } from './processes.mjs'
import { OwnRedis } from './redis.mjs'

/** Every file below a folder, with a hash of its bytes. */
export function contentsOf(folder) {
  const contents = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    contents[relative(folder, file)] = entry.isDirectory()
      ? 'folder'
      : createHash('sha256').update(readFileSync(file)).digest('hex')
  }
  return contents
}

/** The names and hashes of the segments of a generation, as one text. */
export function segmentsOf(index, generation) {
  const files = Object.entries(contentsOf(join(index, generation))).filter(([name]) => name.endsWith('.seg'))
  return JSON.stringify(files.sort())
}

export class Site {
  workers = []
  coordinators = []
  #ownRedis

  static async open(folder, options) {
    const home = mkdtempSync(join(folder, 'site-'))
    mkdirSync(join(home, 'shared'))
    const site = new Site(home, options)
    site.redis = site.#ownRedis = await OwnRedis.start(join(home, 'redis'))
    for (let i = 0; i < options.workers; i++) site.addWorker()
    await Promise.all(site.workers.map((worker) => worker.said('waits for builds')))
    return site
  }

  constructor(home, { lockSeconds, random, threads }) {
    this.home = home
    this.sharedDir = join(home, 'shared')
    this.lockSeconds = lockSeconds
    this.random = random
    this.threads = threads
    /** What was done to it, for the log. */
    this.deeds = []
    /** Seconds that what was done to it explains. */
    this.lostSeconds = 0
  }

  addWorker() {
    const { url } = this.redis
    const worker = startWorker({ url, sharedDir: this.sharedDir, threads: this.threads })
    this.workers.push(worker)
    return worker
  }

  /** `build`: the data and options of coordinator.mjs. `isAlone`: on this machine, without hosts. */
  build(name, build, { isAlone = false } = {}) {
    const { sharedDir, lockSeconds } = this
    const index = join(sharedDir, name)
    const url = isAlone ? undefined : this.redis.url
    const coordinator = new Coordinator({ ...build, index, url, sharedDir, lockSeconds })
    this.coordinators.push(coordinator)
    return coordinator
  }

  did(what, lostSeconds = 0) {
    this.deeds.push(what)
    this.lostSeconds += lostSeconds
  }

  /** One that runs, at random. */
  aWorker() {
    const running = this.workers.filter(({ isRunning }) => isRunning)
    return running[Math.floor(this.random() * running.length)]
  }

  /** What is wrong after the build `name`, which answered `report`; `expected`: the segments of a build on one machine. */
  async problemsOf(name, { report, expected }) {
    const problems = []
    const index = join(this.sharedDir, name)
    if (segmentsOf(index, report.generation) !== expected) problems.push(`${name} has OTHER BYTES`)
    const left = readdirSync(index).filter((entry) => !['CURRENT', report.generation].includes(entry))
    if (left.length > 0) problems.push(`left over in ${name}: ${left.join(', ')}`)
    if (!(report.hosts ?? []).some(({ tasks }) => tasks > 0)) problems.push(`no host ran a task of ${name}`)
    return problems
  }

  /**
   * Entries of the shared folder beside the indexes, and keys of Redis that stay for ever. A build that ended while Redis
   * was away says that they do: it is said, and no problem.
   */
  async leftOver(names, reports) {
    const entries = readdirSync(this.sharedDir).filter((entry) => !names.includes(entry))
    const keys = await this.redis.call('KEYS', '*')
    const lasting = []
    const isSaid = reports.some(({ events }) => events.some(({ message }) => message.includes('stay in Redis until')))
    for (const key of keys) if ((await this.redis.call('TTL', key)) === -1) lasting.push(key)
    return [
      ...(entries.length > 0 ? [`left over in the shared folder: ${entries.join(', ')}`] : []),
      ...(lasting.length > 0 && !isSaid ? [`left over in Redis: ${lasting.join(', ')}`] : []),
    ]
  }

  /** Ends the processes that are left: workers by SIGTERM, which must be an orderly end. */
  async close() {
    const problems = []
    for (const worker of this.workers) {
      if (!worker.isRunning) continue
      worker.signal('SIGTERM')
      worker.signal('SIGCONT')
      const end = await Promise.race([worker.ended, sleep(40_000, undefined, { ref: false })])
      if (end?.code !== 0) {
        problems.push(`a worker ended with ${end?.signal ?? end?.code ?? 'nothing'}: ${worker.errors.slice(-500)}`)
        worker.signal('SIGKILL')
      }
    }
    for (const coordinator of this.coordinators) if (coordinator.isRunning) coordinator.signal('SIGKILL')
    await this.#ownRedis.kill()
    rmSync(this.home, { recursive: true, force: true })
    return problems
  }
}
