/** Writes changes to the log in groups: calls that wait while one group is written go into the next, with one sync. */
import { LogFailedError } from '../errors.js'
import { encodeFrame, payloadBytesOf } from '../format/live/log-frame.js'
import type { Change } from '../format/live/log-change.js'
import type { LogWriter } from '../format/live/log-writer.js'

/** A change whose sequence is not given yet. */
export type Unnumbered = Pick<Change, 'kind' | 'ids' | 'vectors' | 'fields'>

/** What the queue needs of its writer. */
export interface CommitTarget {
  /**
   * The log that takes changes, once there is room in memory for this one, and for how many rows there is room in all.
   * Rejects when there will be none.
   */
  roomFor(change: Unnumbered): Promise<{ readonly log: LogWriter; readonly rows: number }>
  readonly dimensions: number
  readonly isSynced: boolean
  readonly lastSequence: number
  /** Called in order, once the change is as safe as it will be. Returns how many rows it removed or replaced. */
  apply(change: Change): number
}

export interface Committed {
  readonly sequence: number
  readonly removed: number
}

interface Waiting {
  readonly change: Unnumbered
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: unknown) => void
}

/** Work between two groups. */
interface Between {
  readonly work: () => Promise<void>
}

/** Of the frames that are written together. */
const GROUP_BYTES = 16 * 2 ** 20

export class CommitQueue {
  readonly #target: CommitTarget
  readonly #waiting: (Waiting | Between)[] = []
  #writing: Promise<void> | undefined

  constructor(target: CommitTarget) {
    this.#target = target
  }

  /** Resolves when the change is applied. Changes are applied in the order of the calls. */
  commit(change: Unnumbered): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject })
      this.#writing ??= this.#write()
    })
  }

  /** Runs work between two groups: nothing is written meanwhile. */
  between<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work: () => work().then(resolve, reject) })
      this.#writing ??= this.#write()
    })
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #write(): Promise<void> {
    // Calls of the same turn of the event loop go into one group.
    await Promise.resolve()
    try {
      for (let next = this.#waiting.at(0); next !== undefined; next = this.#waiting.at(0)) {
        if ('change' in next) await this.#writeGroup(next)
        else {
          this.#waiting.shift()
          await next.work()
        }
      }
    } finally {
      this.#writing = undefined
    }
  }

  async #writeGroup(first: Waiting): Promise<void> {
    const group: Waiting[] = []
    try {
      const { log, rows } = await this.#target.roomFor(first.change)
      const changes = this.#take(group, rows, log)
      const { frames, chain } = this.#encode(changes, log)
      await log.append(frames, lastOf(changes), chain, this.#target.isSynced)
      for (const [at, change] of changes.entries()) {
        const removed = this.#apply(change, log)
        group[at].resolve({ sequence: change.firstSequence + change.ids.length - 1, removed })
      }
    } catch (error) {
      if (group.length === 0) {
        this.#waiting.shift()
        group.push(first)
      }
      for (const { reject } of group) reject(error)
    }
  }

  #apply(change: Change, log: LogWriter): number {
    try {
      return this.#target.apply(change)
    } catch (error) {
      // Changes after it must not be applied without it.
      const failure = new LogFailedError(log.path, 'a change is in the log, and could not be applied', error)
      log.fail(failure)
      throw failure
    }
  }

  /** Moves as many calls to the group as there is room for, at least one, and numbers their rows. */
  #take(group: Waiting[], room: number, { given }: LogWriter): Change[] {
    const changes: Change[] = []
    let firstSequence = Math.max(this.#target.lastSequence, given) + 1
    let rows = 0
    let bytes = 0
    for (const next of this.#waiting) {
      if (!('change' in next)) break
      const { change } = next
      rows += change.ids.length
      bytes += payloadBytesOf({ ...change, firstSequence })
      if (changes.length > 0 && (rows > room || bytes > GROUP_BYTES)) break
      changes.push({ ...change, firstSequence })
      firstSequence += change.ids.length
    }
    for (const next of this.#waiting.splice(0, changes.length)) if ('change' in next) group.push(next)
    return changes
  }

  #encode(changes: readonly Change[], log: LogWriter): { frames: Uint8Array[]; chain: number } {
    const { dimensions } = this.#target
    const { fileCrc, syncedSequence: synced } = log
    let { chain } = log
    const frames = changes.map((change) => {
      const frame = encodeFrame(change, { dimensions, fileCrc, chain, synced })
      chain = frame.chain
      return frame.bytes
    })
    return { frames, chain }
  }
}

function lastOf(changes: readonly Change[]): number {
  const last = changes[changes.length - 1]
  return last.firstSequence + last.ids.length - 1
}
