import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenOptions } from '../api/search.js'
import { acquireLock, type Lock } from '../format/generation/lock.js'
import { readCurrent } from '../format/generation/current.js'
import { loadManifest } from '../format/generation/read-manifest.js'
import { writeDeadRows } from '../format/live/dead-rows-file.js'
import { syncDirectory } from '../format/bytes/write-durably.js'
import { assertPartsThere } from '../format/live/assert-parts-there.js'
import { writeFailure } from '../format/bytes/file-errors.js'
import { LIVE_FOLDER, liveFolder, logName, numbersIn } from '../format/live/live-paths.js'
import { logNumbers } from '../format/live/log-numbers.js'
import { LogWriter } from '../format/live/log-writer.js'
import { readParts, writeParts, type LiveSettings, type Parts } from '../format/live/parts-file.js'
import { GraphPart } from '../search/live/graph-part.js'
import type { LiveState } from '../search/live/live-state.js'
import type { OpenLive, OpenView } from '../search/view/open-view.js'
import { openView } from '../search/view/read-view.js'
import { cleanLive } from './clean-live.js'
import { LogFailedError } from '../errors.js'
import { messageOf } from '../runtime/realms.js'
import { runAll } from './run-all.js'
import { createLive, settingsOf } from './create-live.js'

/** What was found when a log was opened. */
export interface TornLog {
  readonly path: string
  readonly offset: number
  readonly bytes: number
  readonly reason: string
}

/**
 * The files of a live index that its one writer owns: lock, newest log, PARTS. It decides nothing: what happens when is
 * the writer's.
 */
export class LiveStore {
  readonly path: string
  readonly state: LiveState
  readonly torn: TornLog | undefined
  readonly #lock: Lock
  #log: LogWriter
  #nextNumber: number
  #isStale = false

  private constructor(path: string, lock: Lock, live: OpenLive, log: LogWriter, nextNumber: number) {
    const { torn } = live.tail.end
    this.path = path
    this.state = live.state
    this.torn = torn && { path: log.path, ...torn }
    this.#lock = lock
    this.#log = log
    this.#nextNumber = nextNumber
  }

  /**
   * Opens the index, and takes its lock. `create`: settings for an index that may not exist yet.
   * @throws PathError, IndexLockedError, CorruptIndexError
   */
  static async open(
    path: string,
    options: OpenOptions,
    create?: LiveSettings,
  ): Promise<{ readonly store: LiveStore; readonly view: OpenView }> {
    const current = await readCurrent(path)
    // Nothing is made in a folder that is no index.
    if (current === undefined && create === undefined && (await readParts(path)) === undefined) await loadManifest(path)
    const lock = await acquireLock(path, LIVE_FOLDER)
    let view: OpenView | undefined
    let log: LogWriter | undefined
    try {
      await makeFirst(path, create)
      view = await openView(path, options)
      const parts = await readParts(path)
      const { live } = view
      if (live === undefined || parts === undefined) throw new Error(`${path}: live/PARTS was written a moment ago`)
      await removeUnfinishedLogs(path, live)
      log = await openLog(path, live)
      const store = new LiveStore(path, lock, live, log, await nextNumber(path, parts))
      await loadFilters(live.state)
      // Of another base, or with parts that the base has by now.
      if (parts.base !== view.facts.generation) await store.persist()
      else await cleanLive(path, parts)
      return { store, view }
    } catch (error) {
      const first = (): Promise<never> =>
        Promise.resolve().then(() => {
          throw error
        })
      await runAll([first, async () => log?.close(), async () => view?.close(), () => lock.release()])
      throw error
    }
  }

  get log(): LogWriter {
    return this.#log
  }

  /** Whether the state has other parts, or another base, than PARTS says. */
  get isStale(): boolean {
    return this.#isStale
  }

  /** The state has other parts, or another base, from now on: `persist` is due until it succeeds. */
  changed(): void {
    this.state.version++
    this.#isStale = true
  }

  /** For a part, a log or a file. */
  takeNumber(): number {
    return this.#nextNumber++
  }

  /** Changes go to a new log, and to a new part in memory. What was written before is on the device. */
  async rotate(): Promise<void> {
    const old = this.#log
    await old.sync()
    // Also of changes whose writes failed.
    this.state.lastSequence = Math.max(this.state.lastSequence, old.given)
    const number = this.takeNumber()
    const { dimensions, metric } = this.state.settings
    const facts = { dimensions, metric, number, firstSequence: this.state.lastSequence + 1, chain: old.chain }
    const path = join(liveFolder(this.path), logName(number))
    try {
      this.#log = await LogWriter.create(path, facts)
    } catch (error) {
      await this.#removeUnfinished(path, error)
      throw error
    }
    this.state.startMemory(number)
    await old.close()
  }

  /** Changes go on in the log before. Where a newer one is left, nobody would read what comes then. */
  async #removeUnfinished(path: string, cause: unknown): Promise<void> {
    try {
      await rm(path, { force: true })
      await syncDirectory(liveFolder(this.path))
    } catch (error) {
      const reason = `a new log could not be made (${messageOf(cause)}), and its beginning could not be deleted`
      this.#log.fail(new LogFailedError(path, reason, error))
    }
  }

  /** Writes PARTS as the state is now, and deletes what it does not need any more. */
  async persist(): Promise<void> {
    this.#isStale = true
    const { state } = this
    const [memory] = state.memories
    const number = this.takeNumber()
    const sealed = state.sealed.map(({ entry }) => entry)
    const lists = [state.base?.alive.deadRows() ?? new Uint32Array(0)]
    for (const { alive } of state.sealed) lists.push(alive.deadRows())
    const facts = {
      settings: state.settings,
      base: state.base?.part.name ?? '',
      coveredSequence: memory.firstSequence - 1,
      firstLog: memory.log,
      nextNumber: this.#nextNumber,
      parts: sealed,
    }
    // A row is dead because of a change that must not be lost when the row is.
    await this.#log.sync()
    const parts: Parts = { ...facts, dead: await writeDeadRows(this.path, number, lists) }
    await writeParts(this.path, parts)
    await cleanLive(this.path, parts)
    this.#isStale = false
  }

  /** Closes the log and lets the next writer in. */
  async close(): Promise<void> {
    await runAll([() => this.#log.close(), () => this.#lock.release()])
  }
}

/** PARTS does not know the logs and files that were made after it was written. */
async function nextNumber(path: string, parts: Parts): Promise<number> {
  return Math.max(parts.nextNumber, 1 + Math.max(0, ...(await numbersIn(liveFolder(path)))))
}

/** What an interrupted `rotate` left: later logs would follow one that is none. */
async function removeUnfinishedLogs(path: string, { tail }: OpenLive): Promise<void> {
  const unfinished = (await logNumbers(path)).filter((number) => number > tail.log)
  try {
    for (const number of unfinished) await rm(join(liveFolder(path), logName(number)), { force: true })
    if (unfinished.length > 0) await syncDirectory(liveFolder(path))
  } catch (error) {
    throw writeFailure(liveFolder(path), 0, error)
  }
}

async function makeFirst(path: string, create: LiveSettings | undefined): Promise<void> {
  if ((await readParts(path)) !== undefined) return
  await assertPartsThere(path)
  if (create !== undefined && (await readCurrent(path)) === undefined) {
    await createLive(path, create, { generation: '', liveSequence: 0 })
    return
  }
  const base = await loadManifest(path)
  const { generation, liveSequence = 0 } = base.manifest
  await createLive(path, settingsOf(base), { generation, liveSequence })
}

/** The newest log, without what was torn. */
function openLog(path: string, { state, tail }: OpenLive): Promise<LogWriter> {
  const file = join(liveFolder(path), logName(tail.log))
  const { facts } = tail.end
  if (facts !== undefined) return LogWriter.reopen(file, facts, tail.end)
  const { dimensions, metric } = state.settings
  const firstSequence = state.lastSequence + 1
  return LogWriter.create(file, { dimensions, metric, number: tail.log, firstSequence, chain: tail.chainBefore })
}

/** An upsert looks for each id in every part: ids that a part has not cost no reads. */
async function loadFilters(state: LiveState): Promise<void> {
  for (const { part } of state.views) if (part instanceof GraphPart) await part.open.lookup.loadFilter()
}
