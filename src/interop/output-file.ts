import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InvalidOptionError, PathError } from '../errors.js'
import { systemErrorCode, writeFailure } from '../format/bytes/file-errors.js'
import { syncDirectory, writeAt } from '../format/bytes/whole-files.js'

const BUFFER_BYTES = 4 * 2 ** 20

/**
 * A file that appears under its name only when it is complete. It is written front to back under a temporary name in
 * the same folder, and renamed when every byte is on the device.
 */
export class OutputFile {
  readonly path: string
  readonly #partial: string
  readonly #handle: FileHandle
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #used = 0
  #flushed = 0
  #open = true

  private constructor(path: string, partial: string, handle: FileHandle) {
    this.path = path
    this.#partial = partial
    this.#handle = handle
  }

  /** Begins the file `path`; an existing file stays until `publish`. @throws PathError */
  static async create(path: string): Promise<OutputFile> {
    const partial = `${path}.${process.pid}.partial`
    try {
      return new OutputFile(path, partial, await open(partial, 'w'))
    } catch (error) {
      throw writeFailure(path, 0, error)
    }
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#flushed + this.#used
  }

  /** Room for the next `bytes` bytes, to be filled before the next call. It is not zeroed. */
  async claim(bytes: number): Promise<Buffer> {
    if (this.#used + bytes > this.#buffer.length) await this.#flush()
    if (bytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(bytes)
    this.#used += bytes
    return this.#buffer.subarray(this.#used - bytes, this.#used)
  }

  /** Copies the bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    ;(await this.claim(bytes.length)).set(bytes)
  }

  /** Puts every byte on the device. Only `publish` and `discard` may follow. */
  async finish(): Promise<void> {
    await this.#flush()
    try {
      await this.#handle.sync()
      await this.#close()
    } catch (error) {
      throw writeFailure(this.path, this.length, error)
    }
  }

  /** Gives the file its name, and replaces an existing file. */
  async publish(): Promise<void> {
    try {
      await rename(this.#partial, this.path)
      await syncDirectory(dirname(this.path))
    } catch (error) {
      throw writeFailure(this.path, 0, error)
    }
  }

  /** Removes the temporary file. Idempotent. */
  async discard(): Promise<void> {
    await this.#close()
    await removeFile(this.#partial)
  }

  async #flush(): Promise<void> {
    const used = this.#used
    try {
      await writeAt(this.#handle, this.#buffer.subarray(0, used), this.#flushed)
    } catch (error) {
      throw writeFailure(this.path, used, error)
    }
    this.#used = 0
    this.#flushed += used
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }
}

/** Removes a file if it exists. @throws PathError, SHARDLOOM_FILE_FAILED */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
  } catch (error) {
    throw writeFailure(path, 0, error)
  }
}

/**
 * Checks that a file may be written at `path`.
 * @throws InvalidOptionError when a file exists and `overwrite` is false; PathError for a folder, a device or a link
 */
export async function checkTarget(path: string, overwrite: boolean): Promise<void> {
  let stats
  try {
    stats = await lstat(path)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return
    throw writeFailure(path, 0, error)
  }
  if (!stats.isFile())
    throw new PathError(path, 'it exists and is not a plain file, so it is not replaced; name another file')
  if (!overwrite) {
    throw new InvalidOptionError(`${path} exists; name another file, or pass overwrite: true (--force) to replace it`)
  }
}
