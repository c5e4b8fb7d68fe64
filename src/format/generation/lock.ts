/**
 * Allows one build at a time in an index directory: `build/LOCK` names the process that builds, and the thread that
 * builds has the file open. The operating system does not remove the file when that process or thread ends, so a lock
 * without a holder is taken over.
 */
import { lstat, open, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { IndexLockedError, PathError } from '../../errors.js'
import { systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { heldLocks, isStale, parseHolder, readLockText, type Holder } from './lock-holder.js'
import { processStart } from './process-identity.js'
import { writeAt } from '../bytes/write-durably.js'
import { makeFolder } from '../../../spill/files/make-folder.js'

export interface Lock {
  /** Lets the next build in; idempotent. Removes the folders that the lock made, if they are empty. */
  release(): Promise<void>
}

export const BUILD_FOLDER = 'build'
export const LOCK_NAME = 'LOCK'
/** Held for the moment in which a stale lock is removed. */
export const TAKEOVER_NAME = `${LOCK_NAME}.takeover`

const POLL_MS = 20
/** A lock is written right after it is created; one that stays unreadable longer lost its text in a power cut. */
const UNREADABLE_MS = 1000
/** A takeover is three file operations; one this old was interrupted. */
const ABANDONED_TAKEOVER_MS = 10_000

/**
 * Creates the index directory when needed. `folder`: of the lock, which a build and a writer have each.
 * @throws IndexLockedError, PathError
 */
export async function acquireLock(indexDir: string, folder = BUILD_FOLDER): Promise<Lock> {
  const buildDir = join(indexDir, folder)
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
    const firstMade = await makeFolder(buildDir)
    const madeIndexDir = firstMade !== undefined && !relative(resolve(firstMade), resolve(indexDir)).startsWith('..')
    made = madeIndexDir ? [buildDir, indexDir] : [buildDir]
    let handle = await createExclusively(path, text)
    while (handle === undefined) {
      await waitOrTakeOver(indexDir, path, folder)
      handle = await createExclusively(path, text)
    }
    const held: Held = { path, text, token: holder.token, made, handle }
    heldLocks.set(holder.token, handle)
    return { release: () => release(held) }
  } catch (error) {
    // removeMade keeps folders that another process uses.
    if (!(error instanceof IndexLockedError)) await removeMade(made)
    throw writeFailure(indexDir, text.length, error)
  }
}

/** The open file; undefined when it exists. */
async function createExclusively(path: string, text: string): Promise<FileHandle | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'wx')
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return undefined
    throw error
  }
  try {
    await writeAt(handle, Buffer.from(text), 0)
    return handle
  } catch (error) {
    await handle.close()
    // This process created the file, but does not hold the lock.
    await rm(path, { force: true })
    throw error
  }
}

/** What the lock says of its holder; undefined when there is no lock, or none of a build. Throws system errors. */
export async function readHolder(path: string): Promise<Holder | undefined> {
  const found = await readLockText(path)
  return found !== undefined && 'text' in found ? parseHolder(found.text) : undefined
}

async function isTextOf(path: string, text: string): Promise<boolean> {
  const found = await readLockText(path)
  return found !== undefined && 'text' in found && found.text === text
}

/** Returns when the caller should try again. @throws IndexLockedError when the holder is alive */
async function waitOrTakeOver(indexDir: string, path: string, folder: string): Promise<void> {
  const text = await readWholeLock(path)
  if (text === undefined) return
  const holder = parseHolder(text)
  if (holder !== undefined && !givenBack.has(text) && !isStale(holder, path)) {
    const farLock = holder.host === hostname() ? undefined : path
    throw new IndexLockedError(indexDir, holder, folder === BUILD_FOLDER ? 'built' : 'written to', farLock)
  }
  await removeStaleLock(path, text)
}

/**
 * The lock's text, after waiting for it to be written; undefined when the lock is gone.
 * @throws PathError when an entry that no build made has its name
 */
async function readWholeLock(path: string): Promise<string | undefined> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const found = await readLockText(path)
    if (found === undefined) return undefined
    if ('refused' in found) {
      throw new PathError(path, `${found.refused}, where a lock is put; remove it if nothing works on the index`)
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
  const guard = join(dirname(path), TAKEOVER_NAME)
  const handle = await createExclusively(guard, '')
  if (handle === undefined) {
    await removeAbandoned(guard)
    await sleep(POLL_MS)
    return
  }
  try {
    await handle.close()
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

/**
 * Texts of locks that this thread released but could not delete: its next build takes them over, although the process
 * that they name is alive, also where the system does not tell which files are open.
 */
const givenBack = new Set<string>()

/** A lock that this thread holds. */
interface Held {
  readonly path: string
  readonly text: string
  readonly token: string
  readonly made: readonly string[]
  /** Open for as long as the lock is held: the system closes it when the thread is ended. */
  readonly handle: FileHandle
}

async function release({ path, text, token, made, handle }: Held): Promise<void> {
  if (!heldLocks.delete(token)) return
  try {
    if (await isTextOf(path, text)) await rm(path, { force: true })
  } catch (error) {
    givenBack.add(text)
    throw writeFailure(path, 0, error)
  } finally {
    // After the file is gone: until then other threads take it for held.
    await handle.close()
  }
  await removeMade(made)
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
