/** What a lock says of its holder, and whether that holder still lives. */
import type { FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { systemErrorCode } from '../bytes/file-errors.js'
import { readOwnFile } from '../bytes/read-small-file.js'
import { isError } from '../../runtime/realms.js'
import { isOpenInProcess } from './open-in-process.js'
import { isProcessAlive, processStart } from './process-identity.js'

export interface Holder {
  readonly pid: number
  readonly host: string
  readonly since: string
  /** Tells a process from a later one with the same number; null where the system does not provide it. */
  readonly processStart: string | null
  /** Tells apart two locks of one process. */
  readonly token: string
}

/** A lock has about 200 bytes. */
const MAX_LOCK_BYTES = 4096
const MAX_PROCESS_NUMBER = 2 ** 31 - 1

/** Undefined when there is none. `refused` says why an entry of this name is not a lock: not a file, or too large. */
export async function readLockText(path: string): Promise<{ text: string } | { refused: string } | undefined> {
  try {
    const read = await readOwnFile(path, MAX_LOCK_BYTES)
    return typeof read === 'string' ? { refused: read } : { text: Buffer.from(read).toString() }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined when the text is not that of a lock. */
export function parseHolder(text: string): Holder | undefined {
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

/**
 * Only processes of this host can be checked: a lock of another host holds until a person removes it. A lock of this
 * process is one of its threads', which has the file open for as long as it holds the lock, and may have been ended.
 */
export function isStale(holder: Holder, path: string): boolean {
  if (holder.host !== hostname()) return false
  if (!isProcessAlive(holder.pid)) return true
  const now = processStart(holder.pid)
  if (now !== null && holder.processStart !== null && now !== holder.processStart) return true
  if (holder.pid !== process.pid || heldLocks.has(holder.token)) return false
  return isOpenInProcess(path) === false
}

/** The locks that this thread holds, by token, with their open files: a lock that nobody refers to is held too. */
export const heldLocks = new Map<string, FileHandle>()
