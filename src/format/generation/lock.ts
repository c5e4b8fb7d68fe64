/**
 * Allows one build at a time in an index directory: `build/LOCK` names the process that builds. The operating system
 * does not remove the file when that process dies, so a lock whose process is gone is taken over.
 */
import { lstat, mkdir, open, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { IndexLockedError, PathError } from '../../errors.js'
import { systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { isProcessAlive, processStart } from './process-identity.js'
import { writeAt } from '../bytes/write-durably.js'
import { readOwnFile } from '../bytes/read-small-file.js'
import { isError } from '../../realms.js'

export interface Lock {
  /** Lets the next build in; idempotent. Removes the folders that the lock made, if they are empty. */
  release(): Promise<void>
}

interface Holder {
  readonly pid: number
  readonly host: string
  readonly since: string
  /** Tells a process from a later one with the same number; null where the system does not provide it. */
  readonly processStart: string | null
  /** Tells apart two locks of one process. */
  readonly token: string
}

export const BUILD_FOLDER = 'build'
export const LOCK_NAME = 'LOCK'

const POLL_MS = 20
/** A lock is written right after it is created; one that stays unreadable longer lost its text in a power cut. */
const UNREADABLE_MS = 1000
/** A takeover is three file operations; one this old was interrupted. */
const ABANDONED_TAKEOVER_MS = 10_000
/** A lock has about 200 bytes. */
const MAX_LOCK_BYTES = 4096
const MAX_PROCESS_NUMBER = 2 ** 31 - 1

/** Creates the index directory when needed. @throws IndexLockedError, PathError */
export async function acquireLock(indexDir: string): Promise<Lock> {
  const buildDir = join(indexDir, BUILD_FOLDER)
  const path = join(buildDir, LOCK_NAME)
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    processStart: processStart(process.pid),
    token: randomUUID(),
  }
  const text = `${JSON.stringify(holder)}\n`
  let made: readonly string[] = []
  try {
    const firstMade = await mkdir(buildDir, { recursive: true })
    const madeIndexDir = firstMade !== undefined && !relative(resolve(firstMade), resolve(indexDir)).startsWith('..')
    made = madeIndexDir ? [buildDir, indexDir] : [buildDir]
    while (!(await createExclusively(path, text))) await waitOrTakeOver(indexDir, path)
    return { release: () => release(path, text, made) }
  } catch (error) {
    // removeMade keeps folders that another process uses.
    if (!(error instanceof IndexLockedError)) await removeMade(made)
    throw writeFailure(indexDir, text.length, error)
  }
}

/** False when the file exists. */
async function createExclusively(path: string, text: string): Promise<boolean> {
  let handle: FileHandle
  try {
    handle = await open(path, 'wx')
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false
    throw error
  }
  try {
    try {
      await writeAt(handle, Buffer.from(text), 0)
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    // This process created the file, but does not hold the lock.
    await rm(path, { force: true })
    throw error
  }
}

/** Undefined when there is none. `refused` says why an entry of this name is not a lock: not a file, or too large. */
async function readIfThere(path: string): Promise<{ text: string } | { refused: string } | undefined> {
  try {
    const read = await readOwnFile(path, MAX_LOCK_BYTES)
    return typeof read === 'string' ? { refused: read } : { text: Buffer.from(read).toString() }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function isTextOf(path: string, text: string): Promise<boolean> {
  const found = await readIfThere(path)
  return found !== undefined && 'text' in found && found.text === text
}

/** Returns when the caller should try again. @throws IndexLockedError when the holder is alive */
async function waitOrTakeOver(indexDir: string, path: string): Promise<void> {
  const text = await readWholeLock(path)
  if (text === undefined) return
  const holder = parseHolder(text)
  if (holder !== undefined && !givenBack.has(text) && !isStale(holder)) throw new IndexLockedError(indexDir, holder)
  await removeStaleLock(path, text)
}

/**
 * The lock's text, after waiting for it to be written; undefined when the lock is gone.
 * @throws PathError when an entry that no build made has its name
 */
async function readWholeLock(path: string): Promise<string | undefined> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const found = await readIfThere(path)
    if (found === undefined) return undefined
    if ('refused' in found) {
      throw new PathError(path, `${found.refused}, where a build puts its lock; remove it if no build is running`)
    }
    if (parseHolder(found.text) !== undefined || waitedMs >= UNREADABLE_MS) return found.text
    await sleep(POLL_MS)
  }
}

/**
 * Two builds may find the same stale lock; the slower must not remove the lock that the faster made meanwhile. So a
 * stale lock is removed only while holding a second file, and only when its text is unchanged since it was judged.
 * Exported for its test, which cannot hit the moment between judging and removing from outside.
 */
export async function removeStaleLock(path: string, staleText: string): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await createExclusively(guard, ''))) {
    await removeAbandoned(guard)
    await sleep(POLL_MS)
    return
  }
  try {
    if (await isTextOf(path, staleText)) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

async function removeAbandoned(guard: string): Promise<void> {
  try {
    // lstat also sees a broken link. Math.abs: a clock that was set back must not keep the file for years.
    const { mtimeMs } = await lstat(guard)
    if (Math.abs(Date.now() - mtimeMs) > ABANDONED_TAKEOVER_MS) await rm(guard, { recursive: true, force: true })
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}

function parseHolder(text: string): Holder | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    if (isError(error) && error.name === 'SyntaxError') return undefined
    throw error
  }
  if (typeof json !== 'object' || json === null) return undefined
  const { pid, host, since, processStart, token } = json as Record<string, unknown>
  const sound =
    typeof pid === 'number' &&
    Number.isSafeInteger(pid) &&
    pid > 0 &&
    pid <= MAX_PROCESS_NUMBER &&
    isPrintable(host) &&
    isPrintable(since) &&
    (typeof processStart === 'string' || processStart === null) &&
    typeof token === 'string'
  return sound ? { pid, host, since, processStart, token } : undefined
}

/** Messages show these texts, and a terminal obeys control characters. */
function isPrintable(value: unknown): value is string {
  return typeof value === 'string' && !/\p{Cc}/u.test(value)
}

/** Only processes of this host can be checked: a lock of another host holds until a person removes it. */
function isStale(holder: Holder): boolean {
  if (holder.host !== hostname()) return false
  if (!isProcessAlive(holder.pid)) return true
  const now = processStart(holder.pid)
  return now !== null && holder.processStart !== null && now !== holder.processStart
}

/**
 * Texts of locks that this process released but could not delete: its next build takes them over, although the process
 * that they name is alive.
 */
const givenBack = new Set<string>()

async function release(path: string, text: string, madeFolders: readonly string[]): Promise<void> {
  try {
    if (await isTextOf(path, text)) await rm(path, { force: true })
  } catch (error) {
    givenBack.add(text)
    throw writeFailure(path, 0, error)
  }
  await removeMade(madeFolders)
}

async function removeMade(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await removeIfEmpty(folder)
}

const STILL_NEEDED_CODES = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT'])

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (!STILL_NEEDED_CODES.has(systemErrorCode(error) ?? '')) throw writeFailure(folder, 0, error)
  }
}
