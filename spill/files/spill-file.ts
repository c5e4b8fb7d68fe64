/**
 * The spill files of one queue: runs of frames, appended in order. Files are rolled at 64 MiB so that consumed ones are
 * deleted early. Every write and every read opens and closes the file, so that a thousand queues need few handles.
 */

import { open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptSpillError } from '../../src/errors.js'
import type { Batch } from '../batch.js'
import type { BufferPool } from '../buffer-pool.js'
import { decodeFrame, encodeFrame, padded } from './frame.js'
import { makeFolder } from './make-folder.js'
import { spillFailure } from './spill-failure.js'
import type { RecoveredFile } from './recover-spill-file.js'

/** A file is rolled before it grows past this (unless one frame alone is larger). */
export const ROLL_BYTES = 64 * 2 ** 20

export type SpillHandle = Pick<FileHandle, 'readv' | 'writev' | 'close'>

/** Opens files: a seam for tests of full disks and slow writes. */
export interface SpillFileSystem {
  open(path: string, flags: string): Promise<SpillHandle>
}

export const nodeFileSystem: SpillFileSystem = { open: (path, flags) => open(path, flags) }

export interface SpillFile {
  readonly path: string
  /** Whole frames written. */
  bytes: number
  /** Frames written or being written, and not consumed yet. */
  liveFrames: number
}

/** A frame of a spill file, with the sizes needed to read its parts into separate buffers. */
export interface StoredFrame {
  readonly file: SpillFile
  readonly offset: number
  readonly frameBytes: number
  readonly leadBytes: number
  readonly payloadBytes: number
  readonly count: number
}

/** The name of a queue's `index`-th file. */
export function spillFileName(queue: string, index: number): string {
  return `${queue}-${String(index).padStart(6, '0')}.spill`
}

export class SpillFiles {
  readonly #directory: string
  readonly #name: string
  readonly #fileSystem: SpillFileSystem
  readonly #keep: boolean
  readonly #files = new Set<SpillFile>()
  readonly #unsynced = new Set<string>()
  #current: SpillFile | undefined
  #created = 0

  /** Files are `directory/name-000000.spill` and on; `keep` leaves consumed ones until deleteAll(). */
  constructor(options: { directory: string; name: string; fileSystem: SpillFileSystem; keep: boolean }) {
    this.#directory = options.directory
    this.#name = options.name
    this.#fileSystem = options.fileSystem
    this.#keep = options.keep
  }

  /** Paths of all files, oldest first. */
  get paths(): string[] {
    return Array.from(this.#files, (file) => file.path)
  }

  /** Adds a file that an earlier process wrote as the newest; nothing is appended to it. */
  adopt({ path, bytes, frames }: RecoveredFile): StoredFrame[] {
    const file: SpillFile = { path, bytes, liveFrames: frames.length }
    this.#files.add(file)
    this.#created += 1
    // Field by field: a spread gives each object a separate shape.
    return frames.map(({ offset, frameBytes, leadBytes, payloadBytes, count }) => ({
      file,
      offset,
      frameBytes,
      leadBytes,
      payloadBytes,
      count,
    }))
  }

  /** Paths of the files written to since the last call. */
  takeUnsynced(): string[] {
    const paths = [...this.#unsynced]
    this.#unsynced.clear()
    return paths
  }

  /**
   * Appends the batches as one vectored write. One call at a time. Throws DiskFullError or SHARDLOOM_SPILL_FAILED: the
   * file may then end in a torn frame, and must not be appended to again.
   */
  async append(batches: readonly Batch[]): Promise<StoredFrame[]> {
    let path = join(this.#directory, this.#name)
    let leftBytes = 0
    try {
      const encoded = batches.map(encodeFrame)
      const runBytes = encoded.reduce((sum, { frameBytes }) => sum + frameBytes, 0)
      leftBytes = runBytes
      const full = this.#current === undefined || this.#current.bytes + runBytes > ROLL_BYTES
      const file = this.#current === undefined || full ? this.#nextFile() : this.#current
      path = file.path
      // Counted before the write: the file must not be deleted under it when its other frames are consumed.
      file.liveFrames += encoded.length
      if (file.bytes === 0) await makeFolder(this.#directory)
      // 'wx': an existing file of this name belongs to another build; it must not be overwritten or appended to.
      const handle = await this.#fileSystem.open(path, file.bytes === 0 ? 'wx' : 'r+')
      this.#files.add(file)
      this.#current = file
      try {
        let rest = encoded.flatMap(({ parts }) => parts)
        while (leftBytes > 0) {
          const { bytesWritten } = await handle.writev(rest, file.bytes + runBytes - leftBytes)
          if (bytesWritten === 0) throw new Error('the file system wrote 0 bytes')
          leftBytes -= bytesWritten
          rest = skipBytes(rest, bytesWritten)
        }
      } finally {
        await handle.close()
      }
      this.#unsynced.add(path)
      return encoded.map(({ frameBytes, leadBytes, payloadBytes, count }) => {
        const offset = file.bytes
        file.bytes += frameBytes
        return { file, offset, frameBytes, leadBytes, payloadBytes, count }
      })
    } catch (error) {
      throw await spillFailure(path, `write ${leftBytes} bytes of spilled batches`, leftBytes, error)
    }
  }

  /**
   * Reads the batches of adjoining frames of one file, with one read. Raw bytes go straight into buffers from `pool`,
   * one per batch, which the caller owns. Throws CorruptSpillError or SHARDLOOM_SPILL_FAILED.
   */
  async read<H>(frames: readonly StoredFrame[], pool: BufferPool): Promise<Batch<H>[]> {
    const { file, offset } = frames[0]
    const leads = frames.map(({ leadBytes }) => Buffer.allocUnsafeSlow(leadBytes))
    const payloads = frames.map(({ payloadBytes }) => pool.acquire(padded(payloadBytes)))
    try {
      const handle = await this.#fileSystem.open(file.path, 'r')
      try {
        let rest = leads.flatMap((lead, index) => [lead, payloads[index]]).filter((part) => part.byteLength > 0)
        let position = offset
        while (rest.length > 0) {
          const { bytesRead } = await handle.readv(rest, position)
          if (bytesRead === 0) throw new CorruptSpillError(file.path, position, 'the file ends inside a frame')
          position += bytesRead
          rest = skipBytes(rest, bytesRead)
        }
      } finally {
        await handle.close()
      }
      return frames.map((frame, index) =>
        decodeFrame<H>(leads[index], payloads[index], frame, { path: file.path, offset: frame.offset }),
      )
    } catch (error) {
      for (const payload of payloads) pool.release(payload)
      throw await spillFailure(file.path, 'read spilled batches', 0, error)
    }
  }

  /** Counts one frame of the file as consumed, and deletes the file with its last one. */
  async consume(file: SpillFile): Promise<void> {
    file.liveFrames -= 1
    if (file.liveFrames > 0 || this.#keep) return
    if (this.#current === file) this.#current = undefined
    this.#files.delete(file)
    await remove(file.path)
  }

  /** Deletes every file, including a torn one. */
  async deleteAll(): Promise<void> {
    const paths = this.paths
    this.#files.clear()
    this.#current = undefined
    for (const path of paths) await remove(path)
  }

  #nextFile(): SpillFile {
    const path = join(this.#directory, spillFileName(this.#name, this.#created))
    this.#created += 1
    return { path, bytes: 0, liveFrames: 0 }
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
  } catch (error) {
    throw await spillFailure(path, 'delete a consumed spill file', 0, error)
  }
}

/** The parts without their first `bytes` bytes. */
export function skipBytes(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0
  let skip = bytes
  while (index < parts.length && skip >= parts[index].byteLength) skip -= parts[index++].byteLength
  const rest = parts.slice(index)
  if (skip > 0) rest[0] = rest[0].subarray(skip)
  return rest
}
