/**
 * The owner of one open log file. A group of frames is one write; nothing is buffered here.
 *
 * After a failed write the file is cut back to its last whole frame, and the log takes further changes. After a failed
 * sync nobody knows what the device holds (the system may have dropped the pages and reports it once), and after a
 * failed cut nobody knows what the file holds: then the log takes no more.
 */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readAt } from '../../../spill/files/read-at.js'
import { CorruptIndexError, LogFailedError, PathError } from '../../errors.js'
import { messageOf } from '../../realms.js'
import { writeFailure } from '../bytes/file-errors.js'
import { syncDirectory, writeAt, writePartsAt } from '../bytes/write-durably.js'
import { encodeLogHeader, fileCrcOf, LOG_HEADER_BYTES, type LogFacts } from './log-header.js'
import type { LogPlace } from './read-log.js'

export class LogWriter {
  readonly path: string
  /** The CRC of the header, for `encodeFrame`. */
  readonly fileCrc: number
  readonly #handle: FileHandle
  #end: number
  #chain: number
  #lastSequence: number
  #syncedSequence: number
  #failure: LogFailedError | undefined
  #appending = false
  #closed = false

  private constructor(path: string, handle: FileHandle, fileCrc: number, at: LogPlace) {
    this.path = path
    this.fileCrc = fileCrc
    this.#handle = handle
    this.#end = at.end
    this.#chain = at.chain
    this.#lastSequence = at.lastSequence
    this.#syncedSequence = at.lastSequence
  }

  /**
   * Makes a log without frames; it is on the device when the promise resolves. A file without frames, which an
   * interrupted call left, is made anew.
   * @throws PathError when there is a log with frames; DiskFullError, FileFailedError
   */
  static async create(path: string, facts: LogFacts): Promise<LogWriter> {
    const header = encodeLogHeader(facts)
    const handle = await opened(path, constants.O_RDWR | constants.O_CREAT)
    return owned(path, handle, header.length, async () => {
      const { size } = await handle.stat()
      if (size > LOG_HEADER_BYTES) throw new PathError(path, `there is a log of ${size} bytes already`)
      await writeAt(handle, header, 0)
      await handle.sync()
      await syncDirectory(dirname(path))
      const at = { end: LOG_HEADER_BYTES, chain: facts.chain, lastSequence: facts.firstSequence - 1 }
      return new LogWriter(path, handle, fileCrcOf(header), at)
    })
  }

  /**
   * Goes on at `at`, where `readLog` found the end. Cuts off what lies behind it, and syncs: what was read may have
   * been in the system's memory only.
   * @throws CorruptIndexError when the file has another header or ends before; DiskFullError, FileFailedError
   */
  static async reopen(path: string, facts: LogFacts, at: LogPlace): Promise<LogWriter> {
    const expected = encodeLogHeader(facts)
    const handle = await opened(path, constants.O_RDWR)
    return owned(path, handle, 0, async () => {
      const { size } = await handle.stat()
      const header = Buffer.alloc(LOG_HEADER_BYTES)
      await readAt(handle, header, 0)
      if (!header.equals(expected))
        throw new CorruptIndexError(path, 'the header is not that of this log', { offset: 0 })
      if (size < at.end) {
        throw new CorruptIndexError(path, `the log ends here, expected ${at.end} bytes`, { offset: size })
      }
      if (size > at.end) await handle.truncate(at.end)
      await handle.sync()
      return new LogWriter(path, handle, fileCrcOf(expected), at)
    })
  }

  /** The byte after the last whole frame: the file's length. */
  get endOffset(): number {
    return this.#end
  }

  /** The chain that the next frame continues. */
  get chain(): number {
    return this.#chain
  }

  /** The last sequence in the file. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  /** The last sequence that is known to be on the device. */
  get syncedSequence(): number {
    return this.#syncedSequence
  }

  /**
   * Writes a group of frames behind the last one, in one write, and syncs when `sync` says so. The first continues
   * `this.chain`; `lastSequence` and `chain` are those of the last. One call at a time; `sync` may overlap.
   *
   * When it rejects with another error than LogFailedError, nothing was added: frames are encoded anew from
   * `this.chain`. @throws DiskFullError, FileFailedError, LogFailedError
   */
  async append(frames: readonly Uint8Array[], lastSequence: number, chain: number, sync: boolean): Promise<void> {
    this.#assertUsable('append')
    if (this.#appending) throw new Error(`${this.path}: append during another append`)
    if (lastSequence <= this.#lastSequence) {
      throw new RangeError(`${this.path}: sequence ${lastSequence} after ${this.#lastSequence}`)
    }
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    this.#appending = true
    try {
      try {
        await writePartsAt(this.#handle, frames, this.#end)
      } catch (error) {
        await this.#cutBack(error)
        throw writeFailure(this.path, bytes, error)
      }
      this.#end += bytes
      this.#chain = chain
      this.#lastSequence = lastSequence
      // A sync beside this write may have failed.
      if (this.#failure !== undefined) throw this.#failure
      if (sync) await this.sync()
    } finally {
      this.#appending = false
    }
  }

  /** When the promise resolves, every frame appended before the call is on the device. @throws LogFailedError */
  async sync(): Promise<void> {
    this.#assertUsable('sync')
    const lastSequence = this.#lastSequence
    if (lastSequence === this.#syncedSequence) return
    try {
      await this.#handle.datasync()
    } catch (error) {
      this.#failure ??= new LogFailedError(this.path, 'a sync of the log failed', error)
      throw this.#failure
    }
    // Another sync may have failed meanwhile: its pages count as clean since, and this one proves nothing.
    if (this.#failure !== undefined) throw this.#failure
    this.#syncedSequence = Math.max(this.#syncedSequence, lastSequence)
  }

  /** Idempotent. Does not sync. The caller has awaited its appends and syncs. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#handle.close()
    } catch (error) {
      throw writeFailure(this.path, 0, error)
    }
  }

  #assertUsable(doing: string): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed) throw new Error(`${this.path}: ${doing} after close`)
  }

  async #cutBack(written: unknown): Promise<void> {
    try {
      await this.#handle.truncate(this.#end)
    } catch (error) {
      const reason = `a write failed (${messageOf(written)}), and its beginning could not be cut off`
      this.#failure ??= new LogFailedError(this.path, reason, error)
      throw this.#failure
    }
  }
}

async function opened(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags)
  } catch (error) {
    throw writeFailure(path, 0, error)
  }
}

/** What `make` makes of the handle; closes it when that fails. */
async function owned(
  path: string,
  handle: FileHandle,
  bytes: number,
  make: () => Promise<LogWriter>,
): Promise<LogWriter> {
  try {
    return await make()
  } catch (error) {
    await handle.close()
    throw writeFailure(path, bytes, error)
  }
}
