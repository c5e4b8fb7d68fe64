/**
 * Reads a log from its beginning, or on from where an earlier call stopped; also while another process writes it.
 *
 * A frame that is not sound is torn when nothing after it says that it was on the device, and damage otherwise. A torn
 * end is what an interrupted write leaves, or a write that goes on right now: read on from `end` later. One thing can
 * move a reader's `end`: a write that fails, and is cut off again by its writer, may have been read already. So the
 * header of the last frame is compared before going on, and a reader in another process that gets CorruptIndexError from
 * a place in the middle reads everything again from the beginning before it believes it.
 */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from '../../../spill/files/crc32.js'
import { readAt } from '../../../spill/files/read-at.js'
import type { Metric } from '../../api/vectors.js'
import { CorruptIndexError } from '../../errors.js'
import { readFailure } from '../bytes/file-errors.js'
import { findSyncedFrame } from './find-synced-frame.js'
import { ForwardBytes } from './forward-bytes.js'
import { frameAt, type Unsound } from './frame-at.js'
import { decodeFrameHeader, FRAME_HEADER_BYTES } from './log-frame.js'
import { decodeLogHeader, fileCrcOf, LOG_HEADER_BYTES, type LogFacts } from './log-header.js'
import { lastSequenceOf, type Change } from './log-change.js'

/** A boundary between two frames: where reading goes on, or writing. */
export interface LogPlace {
  /** The byte after the last whole frame. */
  readonly end: number
  /** The chain of that frame; of the header, before the first one. */
  readonly chain: number
  /**
   * The largest sequence that was given up to there, also to a change whose write failed; the log's first sequence − 1
   * before the first frame.
   */
  readonly lastSequence: number
  /** Where that frame begins; 0 before the first one. */
  readonly frame: number
}

/** The bytes after the last whole frame. */
export interface TornEnd {
  readonly offset: number
  readonly bytes: number
  readonly reason: string
}

/** Where the whole frames of a log end. */
export interface LogEnd extends LogPlace {
  /** Undefined when there is no header yet; then `end` is 0. */
  readonly facts: LogFacts | undefined
  /** The CRC of the header, for `encodeFrame`. */
  readonly fileCrc: number
  readonly torn: TornEnd | undefined
}

export interface ExpectedLog {
  readonly dimensions: number
  readonly metric: Metric
  /** The number of the log, when the caller knows it. */
  readonly number?: number
  /** The newest log may lack its header: it is being made, or its making was interrupted. */
  readonly newest?: boolean
  /** The file was finished and synced: it has no torn end, only damage. */
  readonly sealed?: boolean
}

export interface ReadLogOptions {
  /** Go on from here. Default: the first frame. */
  readonly from?: LogPlace
  /** Bytes of a read. Default 4 MiB. */
  readonly chunkBytes?: number
}

/**
 * Hands the changes to `onChange` one by one, each valid until the next: copy what is kept of vectors and sequences.
 * @throws CorruptIndexError for damage, with the offset; every change before it was handed out
 */
export async function readLog(
  path: string,
  expected: ExpectedLog,
  onChange: (change: Change) => void,
  options: ReadLogOptions = {},
): Promise<LogEnd> {
  let end: LogEnd | undefined
  async function* all(): AsyncGenerator<Change, void, void> {
    end = yield* logChanges(path, expected, options)
  }
  for await (const change of all()) onChange(change)
  if (end === undefined) throw new Error(`${path}: the log was left before its end`)
  return end
}

/** `readLog` as a generator: it yields the changes and returns the end. @throws CorruptIndexError */
export async function* logChanges(
  path: string,
  expected: ExpectedLog,
  options: ReadLogOptions = {},
): AsyncGenerator<Change, LogEnd, void> {
  let handle: FileHandle | undefined
  try {
    // Opening a named pipe would wait for its writer. Windows has no O_NONBLOCK, and no named pipes among its files.
    handle = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
    const stats = await handle.stat()
    if (!stats.isFile()) throw new CorruptIndexError(path, 'this is not a file')
    const header = Buffer.alloc(LOG_HEADER_BYTES)
    const headerBytes = await readAt(handle, header, 0)
    if (expected.newest === true && stats.size <= LOG_HEADER_BYTES && !isHeader(header, headerBytes)) {
      const torn = { offset: 0, bytes: stats.size, reason: 'the log has no header yet' }
      return { end: 0, chain: 0, lastSequence: 0, frame: 0, facts: undefined, fileCrc: 0, torn }
    }
    const facts = decodeLogHeader(header.subarray(0, headerBytes), path)
    assertExpected(facts, expected, path)
    const bytes = new ForwardBytes(handle, stats.size, options.chunkBytes)
    return yield* framesOf(bytes, facts, { ...expected, path, from: options.from, fileCrc: fileCrcOf(header) })
  } catch (error) {
    throw readFailure(path, error)
  } finally {
    await closed(handle, path)
  }
}

/** Whether the log has a header: the newest one may be in the making. @throws CorruptIndexError, PathError */
export async function hasLogHeader(path: string): Promise<boolean> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
    const header = Buffer.alloc(LOG_HEADER_BYTES)
    const { size } = await handle.stat()
    // What is longer and has a damaged header is no log in the making.
    return size > LOG_HEADER_BYTES || isHeader(header, await readAt(handle, header, 0))
  } catch (error) {
    throw readFailure(path, error)
  } finally {
    await closed(handle, path)
  }
}

async function closed(handle: FileHandle | undefined, path: string): Promise<void> {
  try {
    await handle?.close()
  } catch (error) {
    throw readFailure(path, error)
  }
}

function isHeader(bytes: Uint8Array, length: number): boolean {
  return length === LOG_HEADER_BYTES && crc32(bytes.subarray(0, LOG_HEADER_BYTES - 4)) === fileCrcOf(bytes)
}

function assertExpected(facts: LogFacts, expected: ExpectedLog, path: string): void {
  for (const name of ['dimensions', 'metric', 'number'] as const) {
    if (expected[name] !== undefined && facts[name] !== expected[name]) {
      throw new CorruptIndexError(path, `this is a log of ${name} ${facts[name]}, expected ${expected[name]}`)
    }
  }
}

interface FramesContext {
  readonly path: string
  readonly fileCrc: number
  readonly from: LogPlace | undefined
  readonly sealed?: boolean
}

async function* framesOf(
  bytes: ForwardBytes,
  facts: LogFacts,
  { path, fileCrc, from, sealed = false }: FramesContext,
): AsyncGenerator<Change, LogEnd, void> {
  const start = { end: LOG_HEADER_BYTES, chain: facts.chain, lastSequence: facts.firstSequence - 1, frame: 0 }
  let { end, chain, lastSequence, frame } = from ?? start
  const log = { path, fileCrc, dimensions: facts.dimensions }
  if (end > bytes.size) {
    throw new CorruptIndexError(path, `the log was read up to byte ${end} and ends here now`, { offset: bytes.size })
  }
  if (frame > 0) await assertSameFrame(bytes, { path, fileCrc, frame, chain })
  while (end < bytes.size) {
    const found = await frameAt(bytes, end, chain, log)
    if ('reason' in found) {
      const torn = await tornEnd(bytes, found, { ...log, end, lastSequence, sealed })
      return { end, chain, lastSequence, frame, facts, fileCrc, torn }
    }
    const { change } = found
    if (change !== undefined && change.sequences === undefined && change.firstSequence <= lastSequence) {
      const reason = `sequence ${change.firstSequence} follows sequence ${lastSequence}`
      throw new CorruptIndexError(path, reason, { offset: end })
    }
    if (change !== undefined) {
      yield change
      lastSequence = Math.max(lastSequence, lastSequenceOf(change))
    }
    lastSequence = Math.max(lastSequence, found.given)
    frame = end
    ;({ end, chain } = found)
  }
  return { end, chain, lastSequence, frame, facts, fileCrc, torn: undefined }
}

async function assertSameFrame(
  bytes: ForwardBytes,
  { path, fileCrc, frame, chain }: { path: string; fileCrc: number; frame: number; chain: number },
): Promise<void> {
  const head = await bytes.at(frame, FRAME_HEADER_BYTES)
  if (head !== undefined && decodeFrameHeader(head, 0, fileCrc)?.chain === chain) return
  throw new CorruptIndexError(path, 'this is not the frame any more that was read here', { offset: frame })
}

interface BadFrame {
  readonly path: string
  readonly fileCrc: number
  readonly end: number
  readonly lastSequence: number
  readonly sealed: boolean
}

async function tornEnd(bytes: ForwardBytes, { reason, next }: Unsound, bad: BadFrame): Promise<TornEnd> {
  const { path, fileCrc, end, lastSequence, sealed } = bad
  const corrupt = (why: string): CorruptIndexError => new CorruptIndexError(path, `${reason}, ${why}`, { offset: end })
  if (sealed) throw corrupt('in a file that was finished')
  const proof = await findSyncedFrame(bytes, next, { fileCrc, lastSequence })
  if (proof !== undefined) throw corrupt(`and the frame at byte ${proof} says that this one was on the device`)
  return { offset: end, bytes: bytes.size - end, reason }
}
