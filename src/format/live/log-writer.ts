/**
 * The owner of one open log file. A group of frames is one write; nothing is buffered here.
 *
 * After a failed write the file is cut back to its last whole frame, and the log takes further changes. Somebody may have
 * read what was cut off, so its sequences are not given again, by this writer or the next. After a failed sync nobody knows what the device holds (the system may have dropped the pages and reports it once), and after a
 * failed cut nobody knows what the file holds: then the log takes no more.
 */
import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readAt } from '../../../spill/files/read-at.js'
import { CorruptIndexError, LogFailedError, PathError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'
import { systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { syncDirectory, writeAt, writePartsAt } from '../bytes/write-durably.js'
import { encodeMark } from './log-frame.js'
import { encodeLogHeader, fileCrcOf, LOG_HEADER_BYTES, type LogFacts } from './log-header.js'
import type { LogPlace } from './read-log.js'

export class LogWriter {
  readonly path: string
  /** The CRC of the header, for `encodeFrame`. */
  readonly fileCrc: number
  readonly #handle: FileHandle
  readonly #inode: number
  #end: number
  #chain: number
  #lastSequence: number
  #syncedSequence: number
  #given: number
  #failure: LogFailedError | undefined
  #appending = false
  /** Whether a mark is behind the last frame. */
  #isMarked = false
  #closed = false

  private constructor(path: string, opened: OpenedLog, fileCrc: number, at: Omit<LogPlace, 'frame'>) {
    this.path = path
    this.fileCrc = fileCrc
    this.#handle = opened.handle
    this.#inode = opened.inode
    this.#end = at.end
    this.#chain = at.chain
    this.#lastSequence = at.lastSequence
    this.#syncedSequence = at.lastSequence
    this.#given = at.lastSequence
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
      const { size, ino: inode } = await handle.stat()
      if (size > LOG_HEADER_BYTES) throw new PathError(path, `there is a log of ${size} bytes already`)
      await writeAt(handle, header, 0)
      await handle.sync()
      await syncDirectory(dirname(path))
      const at = { end: LOG_HEADER_BYTES, chain: facts.chain, lastSequence: facts.firstSequence - 1 }
      return new LogWriter(path, { handle, inode }, fileCrcOf(header), at)
    })
  }

  /**
   * Goes on at `at`, where `readLog` found the end. Cuts off what lies behind it, and syncs: what was read may have
   * been in the system's memory only.
   * @throws CorruptIndexError when the file has another header or ends before; DiskFullError, FileFailedError
   */
  static async reopen(path: string, facts: LogFacts, at: Omit<LogPlace, 'frame'>): Promise<LogWriter> {
    const expected = encodeLogHeader(facts)
    const handle = await opened(path, constants.O_RDWR)
    return owned(path, handle, 0, async () => {
      const { size, ino: inode } = await handle.stat()
      const header = Buffer.alloc(LOG_HEADER_BYTES)
      await readAt(handle, header, 0)
      if (!header.equals(expected))
        throw new CorruptIndexError(path, 'the header is not that of this log', { offset: 0 })
      if (size < at.end) {
        throw new CorruptIndexError(path, `the log ends here, expected ${at.end} bytes`, { offset: size })
      }
      if (size > at.end) await handle.truncate(at.end)
      await handle.sync()
      return new LogWriter(path, { handle, inode }, fileCrcOf(expected), at)
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

  /** The last sequence that was given to a change, also to one whose write failed. */
  get given(): number {
    return this.#given
  }

  /** The last sequence that is known to be on the device. */
  get syncedSequence(): number {
    return this.#syncedSequence
  }

  /**
   * Writes a group of frames behind the last one, in one write, and syncs when `sync` says so. The first continues
   * `this.chain`; `lastSequence` and `chain` are those of the last. One call at a time; `sync` may overlap.
   *
   * When it rejects with another error than LogFailedError, no change was added: frames are encoded anew from
   * `this.chain`, with sequences above `this.given`. @throws DiskFullError, FileFailedError, LogFailedError
   */
  async append(frames: readonly Uint8Array[], lastSequence: number, chain: number, sync: boolean): Promise<void> {
    this.#assertUsable('append')
    if (this.#appending) throw new Error(`${this.path}: append during another append`)
    if (lastSequence <= this.#given) {
      throw new RangeError(`${this.path}: sequence ${lastSequence} after ${this.#given}`)
    }
    this.#appending = true
    try {
      this.#given = lastSequence
      await this.#write(frames, chain).catch(async (error: unknown) => {
        await this.#withdraw()
        throw error
      })
      this.#lastSequence = lastSequence
      this.#isMarked = false
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

  /**
   * Says behind the last frame that it is on the device, so that damage to it is not taken for an interrupted write.
   * Nothing is lost without a mark. @throws DiskFullError, FileFailedError, LogFailedError
   */
  async mark(): Promise<void> {
    this.#assertUsable('mark')
    const isNew = this.#end === LOG_HEADER_BYTES && this.#given === this.#lastSequence
    if (isNew || this.#isMarked) return
    await this.sync()
    await this.#writeMark()
    this.#isMarked = true
  }

  /**
   * Finds out whether the file is still the one that is written to: changes to a deleted file are lost.
   * @throws LogFailedError, as every later change does, when somebody deleted it
   */
  async assertThere(): Promise<void> {
    this.#assertUsable('look')
    const found = await stat(this.path).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined
      throw writeFailure(this.path, 0, error)
    })
    // It may have been closed meanwhile, and deleted by its owner.
    if (this.#closed || found?.ino === this.#inode) return
    this.#failure ??= new LogFailedError(this.path, 'the log is gone', new Error('somebody deleted or replaced it'))
    throw this.#failure
  }

  /** Why the log takes no more. */
  get failure(): LogFailedError | undefined {
    return this.#failure
  }

  /** The log takes no more. */
  fail(error: LogFailedError): void {
    this.#failure ??= error
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

  async #write(frames: readonly Uint8Array[], chain: number): Promise<void> {
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    try {
      await writePartsAt(this.#handle, frames, this.#end)
    } catch (error) {
      await this.#cutBack(error)
      throw writeFailure(this.path, bytes, error)
    }
    this.#end += bytes
    this.#chain = chain
  }

  async #writeMark(): Promise<void> {
    const place = { fileCrc: this.fileCrc, chain: this.#chain, synced: this.#syncedSequence }
    const { bytes, chain } = encodeMark(place, this.#given)
    await this.#write([bytes], chain)
  }

  /** Says which sequences are not given again: the next writer reads it. */
  async #withdraw(): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await this.#writeMark()
    } catch {
      // The disk is as full for the mark. The caller gets the error of its write; the next frame, or the mark of a close,
      // says it as well.
      this.#isMarked = false
    }
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

interface OpenedLog {
  readonly handle: FileHandle
  readonly inode: number
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
    try {
      await handle.close()
    } catch (closing) {
      throw writeFailure(path, bytes, closing)
    }
    throw writeFailure(path, bytes, error)
  }
}
