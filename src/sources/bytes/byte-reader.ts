/** The seam between readers and their input: bytes by position, from a file, a named pipe or a stream. */
import { closeSync, constants, openSync, type BigIntStats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import { InvalidFileError, PathError, ShardloomError } from '../../errors.js'
import { systemErrorCode } from '../../runtime/realms.js'

export interface ByteReader {
  /** Name of the input in messages. */
  readonly path: string
  /** Undefined for pipes, whose bytes come once and in order: `position` must then be the bytes read so far. */
  readonly byteLength: number | undefined
  /** Reads bytes at `position` to the front of `into` and returns their number; 0 only at the end. */
  read(into: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

/** Facts about the file at a path. `version` changes when the file is replaced, extended, truncated or written to. */
export interface FileFacts {
  /** Undefined for a named pipe or a device. */
  readonly byteLength: number | undefined
  readonly isPipe: boolean
  readonly version: string
  /** Time of the last change, nanoseconds. */
  readonly changedNs: bigint
}

const UNREADABLE_REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'this process may not read it (permission denied)'],
  ['EPERM', 'this process may not read it (operation not permitted)'],
  ['EISDIR', 'it is a folder, and a file is needed'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['ENAMETOOLONG', 'the path is too long'],
  ['ELOOP', 'the path has a loop of symbolic links'],
  ['EBADF', 'it was closed while being read'],
  ['EMFILE', 'this process has too many files open'],
  ['ENFILE', 'the system has too many files open'],
])

/** A system error on `path` as PathError; any other error unchanged. */
function readFailure(path: string, cause: unknown): unknown {
  const code = systemErrorCode(cause)
  if (cause instanceof ShardloomError || code === undefined) return cause
  return new PathError(path, UNREADABLE_REASONS.get(code) ?? `it cannot be read (${code})`, cause)
}

/**
 * Reads the facts about a path without opening it: opening and closing a named pipe would end its writer.
 * @throws PathError when there is nothing to read
 */
export async function fileFacts(path: string): Promise<FileFacts> {
  try {
    return factsOf(path, await stat(path, { bigint: true }))
  } catch (cause) {
    throw readFailure(path, cause)
  }
}

function factsOf(path: string, stats: BigIntStats): FileFacts {
  if (stats.isDirectory()) throw new PathError(path, 'it is a folder, and a file is needed')
  return {
    byteLength: stats.isFile() ? Number(stats.size) : undefined,
    isPipe: stats.isFIFO(),
    version: `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`,
    changedNs: stats.mtimeNs,
  }
}

/** Windows has no O_NONBLOCK, and no named pipes among its files. */
const READ_NOW = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0)

/**
 * Opens a file or named pipe for reading. The caller closes it. A pipe without a writer is waited for in its reads,
 * which closing ends, and not in the opening, which nothing could end.
 * @throws PathError when it cannot be opened
 * @throws InvalidFileError when the file has changed since `expected`
 */
export async function openFileBytes(path: string, expected?: FileFacts): Promise<ByteReader> {
  let handle: FileHandle | undefined
  try {
    const { isPipe, byteLength } = await fileFacts(path)
    if (isPipe) return pipeBytes(path)
    handle = await open(path, byteLength === undefined ? 'r' : READ_NOW)
    const facts = factsOf(path, await handle.stat({ bigint: true }))
    if (facts.isPipe) throw new InvalidFileError(path, 'it was replaced by a pipe while it was opened')
    if (expected?.byteLength !== undefined && facts.version !== expected.version) {
      throw new InvalidFileError(
        path,
        `it was changed after it was opened (${expected.byteLength} bytes then, ${facts.byteLength ?? 'a pipe'} now)`,
      )
    }
    return new FileBytes(path, handle, facts.byteLength)
  } catch (cause) {
    await handle?.close()
    throw readFailure(path, cause)
  }
}

/** Reads with the event loop: a thread that waits in a system call cannot be stopped and keeps the process alive. */
function pipeBytes(path: string): ByteReader {
  const fd = openSync(path, READ_NOW)
  try {
    return streamBytes(path, new Socket({ fd, readable: true, writable: false }))
  } catch (cause) {
    closeSync(fd)
    throw cause
  }
}

class FileBytes implements ByteReader {
  readonly #handle: FileHandle

  constructor(
    readonly path: string,
    handle: FileHandle,
    readonly byteLength: number | undefined,
  ) {
    this.#handle = handle
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      // A pipe has no positions: null continues after the last read.
      const at = this.byteLength === undefined ? null : position
      return (await this.#handle.read(into, 0, into.length, at)).bytesRead
    } catch (cause) {
      throw readFailure(this.path, cause)
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close()
    } catch (cause) {
      throw readFailure(this.path, cause)
    }
  }
}

/** A stream of byte chunks, such as a Node Readable. */
export type ByteStream = AsyncIterable<Uint8Array> & { destroy?(): unknown }

/** A stream, such as `process.stdin`, as a pipe. Closing it destroys the stream. */
export function streamBytes(path: string, stream: ByteStream): ByteReader {
  const chunks = stream[Symbol.asyncIterator]()
  return {
    path,
    byteLength: undefined,
    read: readChunks(() =>
      chunks.next().catch((cause: unknown) => {
        throw readFailure(path, cause)
      }),
    ),
    async close() {
      // return() would wait for a pending read, which an idle terminal or pipe may never answer.
      if (stream.destroy === undefined) await chunks.return?.()
      else stream.destroy()
    },
  }
}

/** The `read` of a ByteReader over chunks of any length. */
export function readChunks(
  next: () => Promise<IteratorResult<Uint8Array, unknown>>,
): (into: Uint8Array) => Promise<number> {
  let rest: Uint8Array = new Uint8Array(0)
  return async (into) => {
    while (rest.length === 0) {
      const chunk = await next()
      if (chunk.done === true) return 0
      rest = chunk.value
    }
    const taken = rest.subarray(0, into.length)
    into.set(taken)
    rest = rest.subarray(taken.length)
    return taken.length
  }
}

/** Fills `into` from `position`. Returns the bytes read: fewer than `into` holds only when the data ends first. */
export async function readFully(bytes: ByteReader, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const got = await bytes.read(filled === 0 ? into : into.subarray(filled), position + filled)
    if (got === 0) break
    filled += got
  }
  return filled
}

/**
 * Fills all of `into` from `position`.
 * @throws InvalidFileError when the file was truncated after its size was read
 */
export async function readExactly(bytes: ByteReader, into: Uint8Array, position: number): Promise<void> {
  const got = await readFully(bytes, into, position)
  if (got === into.length) return
  const wanted = `${into.length} bytes from byte ${position}`
  throw new InvalidFileError(bytes.path, `it was truncated while it was read: expected ${wanted}, got ${got}`, {
    offset: position + got,
  })
}

/** The size of a regular file. @throws PathError for a pipe, which only JSON lines can come from */
export function knownByteLength(bytes: ByteReader, format: string): number {
  if (bytes.byteLength !== undefined) return bytes.byteLength
  throw new PathError(bytes.path, `it is a pipe, and ${format} needs a file; only JSON lines can come from a pipe`)
}
