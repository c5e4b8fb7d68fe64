import { join } from 'node:path'
import type { OpenOptions } from '../api/search.js'
import { acquireLock, type Lock } from '../format/generation/lock.js'
import { readCurrent } from '../format/generation/current.js'
import { loadManifest } from '../format/generation/read-manifest.js'
import { writeDeadRows } from '../format/live/dead-rows-file.js'
import { LIVE_FOLDER, liveFolder, logName } from '../format/live/live-paths.js'
import { LogWriter } from '../format/live/log-writer.js'
import { readParts, writeParts, type LiveSettings, type Parts } from '../format/live/parts-file.js'
import { GraphPart } from '../search/live/graph-part.js'
import type { LiveState } from '../search/live/live-state.js'
import type { OpenLive, OpenView } from '../search/open-view.js'
import { openView } from '../search/read-view.js'
import { cleanLive } from './clean-live.js'
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
    try {
      await makeFirst(path, create)
      view = await openView(path, options)
      const parts = await readParts(path)
      const { live } = view
      if (live === undefined || parts === undefined) throw new Error(`${path}: live/PARTS was written a moment ago`)
      const store = new LiveStore(path, lock, live, await openLog(path, live), parts.nextNumber)
      await loadFilters(live.state)
      // Of another base, or with parts that the base has by now.
      if (parts.base !== view.facts.generation) await store.persist()
      else await cleanLive(path, parts)
      return { store, view }
    } catch (error) {
      await view?.close()
      await lock.release()
      throw error
    }
  }

  get log(): LogWriter {
    return this.#log
  }

  /** For a part, a log or a file. */
  takeNumber(): number {
    return this.#nextNumber++
  }

  /** Changes go to a new log, and to a new part in memory. What was written before is on the device. */
  async rotate(): Promise<void> {
    const old = this.#log
    await old.sync()
    const number = this.takeNumber()
    const { dimensions, metric } = this.state.settings
    const facts = { dimensions, metric, number, firstSequence: this.state.lastSequence + 1, chain: old.chain }
    this.#log = await LogWriter.create(join(liveFolder(this.path), logName(number)), facts)
    this.state.startMemory(number)
    await old.close()
  }

  /** Writes PARTS as the state is now, and deletes what it does not need any more. */
  async persist(): Promise<void> {
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
  }

  /** Closes the log and lets the next writer in. */
  async close(): Promise<void> {
    try {
      await this.#log.close()
    } finally {
      await this.#lock.release()
    }
  }
}

async function makeFirst(path: string, create: LiveSettings | undefined): Promise<void> {
  if ((await readParts(path)) !== undefined) return
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
