/**
 * `build/journal`: which units of an unfinished build are in files, so that a later process can resume from them.
 *
 * The journal is text, one entry per line, appended: the CRC-32 of the JSON in eight hex digits, a space, the JSON. The
 * first line is the `begin` entry. Reading ends at the first incomplete line, because a crash can leave a torn tail. A
 * line may name bytes that a power cut removed. A resumed build checks them, so a wrong line costs work and never gives
 * a wrong index.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from '../../../spill/files/crc32.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { syncDirectory, writeAt } from '../../format/bytes/write-durably.js'
import { readOwnFile } from '../../format/bytes/read-small-file.js'
import { MAX_DIMENSIONS } from '../../options/limits.js'
import { isError } from '../../runtime/realms.js'

export const JOURNAL_NAME = 'journal'
export const JOURNAL_FORMAT = 1

/** Identifies the build. Entries of another build are useless. */
export interface BeginEntry {
  readonly kind: 'begin'
  readonly format: number
  readonly version: string
  /** The options that determine the bytes of the index, as JSON. */
  readonly options: string
  /** The source's fingerprint; empty when the caller gave none. */
  readonly source: string
  readonly generation: string
  /** The caller's tempDir; empty when spill files are in build/. */
  readonly tempDir: string
  readonly startedAt: string
  /** The last change in `live/` that the source contains or replaces; absent when there is none. */
  readonly liveSequence?: number
}

/** What was ingested, up to a point where all queues are in files. */
export interface IngestEntry {
  readonly kind: 'ingest'
  /** Records the source gave. A resumed build continues at this ordinal. */
  readonly ordinals: number
  readonly rowBatches: number
  readonly idBatches: number
  /** Only in a build with fields. */
  readonly fieldBatches?: number
  readonly dimensions: number
  readonly idsGiven: boolean
  readonly skippedInvalid: number
  readonly maxSquaredNorm: number
  /** Whether the source has ended. */
  readonly ended: boolean
}

/** The shards and segments after this entry belong to this routing. A different digest invalidates those before it. */
export interface RoutingEntry {
  readonly kind: 'routing'
  readonly digest: number
}

/** A shard's vectors are in their segment and its graph rows in a separate file. */
export interface ShardEntry {
  readonly kind: 'shard'
  readonly shard: number
  /** CRC-32 of its bytes in the vectors segment. */
  readonly crc: number
  readonly rowsBytes: number
}

/** A links segment is merged. */
export interface SegmentEntry {
  readonly kind: 'segment'
  readonly segment: number
  readonly crc: number
  readonly degreeSum: number
}

export type UnitEntry = IngestEntry | RoutingEntry | ShardEntry | SegmentEntry
export type JournalEntry = BeginEntry | UnitEntry

type FieldKind = 'text' | 'flag' | 'u32' | 'count' | 'count?' | 'dimensions' | 'squared norm'

const FIELDS: Readonly<Record<string, Readonly<Record<string, FieldKind>>>> = {
  begin: {
    format: 'u32', version: 'text', options: 'text', source: 'text', generation: 'text', tempDir: 'text',
    startedAt: 'text', liveSequence: 'count?',
  },
  ingest: {
    ordinals: 'u32', rowBatches: 'u32', idBatches: 'u32', fieldBatches: 'count?', dimensions: 'dimensions',
    idsGiven: 'flag', skippedInvalid: 'u32', maxSquaredNorm: 'squared norm', ended: 'flag',
  },
  routing: { digest: 'u32' },
  shard: { shard: 'u32', crc: 'u32', rowsBytes: 'count' },
  segment: { segment: 'u32', crc: 'u32', degreeSum: 'count' },
} // prettier-ignore

/** A build of a hundred million vectors writes a few megabytes. */
const MAX_JOURNAL_BYTES = 2 ** 26
/**
 * A caller's fingerprint may be long. A longer line counts as damage: JSON.parse turns brackets into fifty times their
 * bytes.
 */
const MAX_LINE_BYTES = 2 ** 20
const CRC_CHARACTERS = 8

export function encodeEntry(entry: JournalEntry): string {
  const json = JSON.stringify(entry)
  return `${crc32(Buffer.from(json)).toString(16).padStart(CRC_CHARACTERS, '0')} ${json}\n`
}

export interface ReadJournal {
  readonly begin: BeginEntry
  readonly entries: readonly UnitEntry[]
  /** Where the complete lines end. */
  readonly bytes: number
}

/** Undefined when the first line is incomplete or damaged. */
export function parseJournal(bytes: Buffer): ReadJournal | undefined {
  const entries: UnitEntry[] = []
  let begin: BeginEntry | undefined
  let at = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, at)
    const entry = end < 0 || end - at > MAX_LINE_BYTES ? undefined : parseLine(bytes.subarray(at, end))
    if (entry === undefined || (entry.kind === 'begin') !== (begin === undefined)) break
    if (entry.kind === 'begin') begin = entry
    else entries.push(entry)
    at = end + 1
  }
  return begin && { begin, entries, bytes: at }
}

function parseLine(line: Buffer): JournalEntry | undefined {
  const json = line.subarray(CRC_CHARACTERS + 1)
  const crc = line.toString('latin1', 0, CRC_CHARACTERS + 1)
  if (crc !== `${crc32(json).toString(16).padStart(CRC_CHARACTERS, '0')} `) return undefined
  let value: unknown
  try {
    value = JSON.parse(json.toString())
  } catch (error) {
    if (isError(error) && error.name === 'SyntaxError') return undefined
    throw error
  }
  return isEntry(value) ? value : undefined
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  if (typeof fields['kind'] !== 'string' || !Object.hasOwn(FIELDS, fields['kind'])) return false
  const expected = Object.entries(FIELDS[fields['kind']]).filter(
    ([name, kind]) => !kind.endsWith('?') || Object.hasOwn(fields, name),
  )
  // Unknown fields could contain anything, and would stay in memory with the entry.
  return (
    Object.keys(fields).length === 1 + expected.length &&
    expected.every(([name, kind]) => Object.hasOwn(fields, name) && isOfKind(fields[name], kind))
  )
}

function isOfKind(value: unknown, kind: FieldKind): boolean {
  if (kind === 'text') return typeof value === 'string'
  if (kind === 'flag') return typeof value === 'boolean'
  if (typeof value !== 'number' || !(value >= 0)) return false
  if (kind === 'squared norm') return Number.isFinite(value)
  if (kind === 'u32') return Number.isInteger(value) && value < 2 ** 32
  if (kind === 'dimensions') return Number.isInteger(value) && value >= 1 && value <= MAX_DIMENSIONS
  return Number.isSafeInteger(value)
}

/**
 * Undefined when there is no valid journal: it is missing, not a file, larger than any journal, or without a valid
 * first line.
 * @throws PathError, SHARDLOOM_FILE_FAILED
 */
export async function readJournal(path: string): Promise<ReadJournal | undefined> {
  try {
    const read = await readOwnFile(path, MAX_JOURNAL_BYTES)
    if (typeof read === 'string') return undefined
    return parseJournal(Buffer.from(read.buffer, read.byteOffset, read.byteLength))
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw writeFailure(path, 0, error)
  }
}

/**
 * Interval between syncs of new lines, and the files they name, to the device. When the process dies, nothing is lost;
 * a power cut loses up to one interval.
 */
const SYNC_MS = 2000

/**
 * The journal of a running build. `append` does not wait. Lines are written in order, with one write for all that have
 * gathered. Their files, and then the journal, are synced in the background. A failed write or sync makes the next
 * append or flush fail.
 */
export class Journal {
  readonly path: string
  readonly #handle: FileHandle
  readonly #unsynced = new Set<string>()
  #pending: string[] = []
  #position: number
  /** Complete lines in the file. */
  #lines: number
  #writing: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #syncTimer: NodeJS.Timeout | undefined
  #closed = false
  #failure: { readonly error: unknown } | undefined

  private constructor(path: string, handle: FileHandle, position: number, lines: number) {
    this.path = path
    this.#handle = handle
    this.#position = position
    this.#lines = lines
  }

  /** Whether the file contains any unit to resume from. */
  get hasUnits(): boolean {
    return this.#lines > 1
  }

  /** Starts a journal, or continues one after its complete lines. */
  static async open(path: string, from: BeginEntry | ReadJournal): Promise<Journal> {
    try {
      if (!('bytes' in from)) {
        const journal = new Journal(path, await open(path, 'w'), 0, 0)
        journal.#append(encodeEntry(from))
        return journal
      }
      const handle = await open(path, 'r+')
      try {
        await handle.truncate(from.bytes)
      } catch (error) {
        await handle.close()
        throw error
      }
      return new Journal(path, handle, from.bytes, 1 + from.entries.length)
    } catch (error) {
      throw writeFailure(path, 0, error)
    }
  }

  /** `files` and `folders` must be on the device for the entry to be usable after a power cut. */
  append(entry: UnitEntry, files: readonly string[], folders: readonly string[] = []): void {
    if (this.#failure !== undefined) throw this.#failure.error
    for (const path of files) this.#unsynced.add(path)
    for (const path of folders) this.#unsynced.add(`${path}/`)
    this.#append(encodeEntry(entry))
  }

  /** Resolves when every line so far is in the file, though not necessarily on the device. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /**
   * Waits for running writes and syncs, and starts no new sync. Does not throw the error of a failed write or sync:
   * this runs after the build, whose own error counts.
   */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#syncTimer)
    while (this.#writing !== undefined) await this.#writing
    await this.#syncing
    try {
      await this.#handle.close()
    } catch (error) {
      throw writeFailure(this.path, 0, error)
    }
  }

  #append(line: string): void {
    this.#pending.push(line)
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    let text = Buffer.alloc(0)
    try {
      while (this.#pending.length > 0) {
        const lines = this.#pending.splice(0)
        text = Buffer.from(lines.join(''))
        await writeAt(this.#handle, text, this.#position)
        this.#position += text.length
        this.#lines += lines.length
      }
      this.#syncLater()
    } catch (error) {
      this.#fail(error, text.length)
    } finally {
      this.#writing = undefined
    }
  }

  #syncLater(): void {
    if (this.#closed) return
    this.#syncTimer ??= setTimeout(() => {
      this.#syncing = this.#sync()
    }, SYNC_MS).unref()
  }

  async #sync(): Promise<void> {
    try {
      const paths = [...this.#unsynced]
      this.#unsynced.clear()
      for (const path of paths) {
        if (path.endsWith('/')) await syncDirectory(path)
        else await syncFile(path)
      }
      await this.#handle.datasync()
    } catch (error) {
      this.#fail(error, 0)
    } finally {
      this.#syncing = undefined
      this.#syncTimer = undefined
      // Files that were added during this sync.
      if (this.#unsynced.size > 0) this.#syncLater()
    }
  }

  #fail(error: unknown, neededBytes: number): void {
    this.#failure ??= { error: writeFailure(this.path, neededBytes, error) }
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.datasync()
  } finally {
    await handle.close()
  }
}
