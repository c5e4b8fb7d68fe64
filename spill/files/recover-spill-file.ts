/**
 * Finds the whole frames of a spill file after a crash, and cuts the torn tail that an interrupted write leaves.
 *
 * Torn, and cut: less than a prefix at the end; a body that ends past the file; a last frame whose body has the wrong
 * checksum; a rest of zeros only (after a power cut a file can have its length before its data).
 *
 * Damage: any other prefix or body with the wrong checksum, including the last frame's prefix, because without a
 * trustworthy length the number of frames after it is unknown. Also a frame larger than any that is written, and a
 * path that is not a regular file: a folder, a named pipe, a link.
 */

import { lstat, open, type FileHandle } from 'node:fs/promises'
import { CorruptSpillError } from '../../src/errors.js'
import { MAX_BATCH_BYTES, type FileBatchRef } from '../batch.js'
import { crc32 } from './crc32.js'
import { decodePrefix, FRAME_PREFIX_BYTES } from './frame.js'
import { readAt } from './read-at.js'
import { spillFailure } from './spill-failure.js'

/** A whole frame, with the sizes needed to read its parts into separate buffers. */
export interface RecoveredFrame extends FileBatchRef {
  readonly leadBytes: number
  readonly payloadBytes: number
}

/** A file of a durable queue, and the batches found in it. */
export interface RecoveredFile {
  readonly path: string
  readonly bytes: number
  readonly frames: readonly RecoveredFrame[]
}

export interface RecoveredSpillFile {
  /** The whole frames, in order, as refs for readBatches. */
  readonly frames: RecoveredFrame[]
  /** The file's new length. */
  readonly bytes: number
  /** Bytes cut off its end. */
  readonly cutBytes: number
}

export interface CheckedSpillFile {
  /** The whole frames at the front of the file. */
  readonly frames: RecoveredFrame[]
  /** Where they end. */
  readonly wholeBytes: number
  /** The file's length. */
  readonly bytes: number
  /** The damage found there; undefined at the end of the file or a torn tail. */
  readonly damage: CorruptSpillError | undefined
}

const CHUNK_BYTES = 2 ** 20

/**
 * Reads and checks the whole file, in 2 MiB of memory, and truncates it after its last whole frame.
 * Throws CorruptSpillError for damage before the tail, and leaves such a file as it is.
 */
export async function recoverSpillFile(path: string): Promise<RecoveredSpillFile> {
  const { frames, wholeBytes, bytes, damage } = await checkSpillFile(path)
  if (damage !== undefined) throw damage
  if (wholeBytes < bytes) await cutSpillFile(path, wholeBytes)
  return { frames, bytes: wholeBytes, cutBytes: bytes - wholeBytes }
}

/** Reads and checks the file in 2 MiB of memory, and changes nothing. */
export async function checkSpillFile(path: string): Promise<CheckedSpillFile> {
  try {
    // Checked before it is opened: a named pipe would wait for its writer, and a link leads to another program's file.
    if (!(await lstat(path)).isFile()) {
      return { frames: [], wholeBytes: 0, bytes: 0, damage: new CorruptSpillError(path, 0, 'this is not a file') }
    }
    const handle = await open(path, 'r')
    try {
      return await check(path, handle)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw await spillFailure(path, 'recover the spill file', 0, error)
  }
}

export async function cutSpillFile(path: string, bytes: number): Promise<void> {
  try {
    const handle = await open(path, 'r+')
    try {
      await handle.truncate(bytes)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw await spillFailure(path, 'recover the spill file', 0, error)
  }
}

async function check(path: string, handle: FileHandle): Promise<CheckedSpillFile> {
  const { size } = await handle.stat()
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(size, FRAME_PREFIX_BYTES)))
  const frames: RecoveredFrame[] = []
  let offset = 0
  const until = (damage?: CorruptSpillError): CheckedSpillFile => ({ frames, wholeBytes: offset, bytes: size, damage })
  while (offset + FRAME_PREFIX_BYTES <= size) {
    await readWhole(path, handle, chunk.subarray(0, FRAME_PREFIX_BYTES), offset)
    const prefix = decodePrefix(chunk.subarray(0, FRAME_PREFIX_BYTES))
    if (prefix === undefined) {
      if (await isZero(path, handle, chunk, offset, size)) break
      return until(new CorruptSpillError(path, offset, 'the frame prefix is damaged'))
    }
    const { frameBytes, count, headerBytes, leadBytes, payloadBytes } = prefix
    if (Math.max(headerBytes, payloadBytes) > MAX_BATCH_BYTES) {
      return until(
        new CorruptSpillError(path, offset, `a frame of ${frameBytes} bytes, larger than any that is written`),
      )
    }
    const end = offset + frameBytes
    if (end > size) break
    let crc = 0
    for await (const bytes of chunks(path, handle, chunk, offset + FRAME_PREFIX_BYTES, end)) crc = crc32(bytes, crc)
    if (crc !== prefix.crc32) {
      if (end === size) break
      const [found, expected] = [crc.toString(16), prefix.crc32.toString(16)]
      return until(new CorruptSpillError(path, offset, `the frame's crc32 is ${found}, expected ${expected}`))
    }
    frames.push({ kind: 'file', path, offset, frameBytes, count, leadBytes, payloadBytes })
    offset = end
  }
  return until()
}

async function isZero(path: string, handle: FileHandle, chunk: Buffer, from: number, to: number): Promise<boolean> {
  const zeros = Buffer.alloc(chunk.byteLength)
  for await (const bytes of chunks(path, handle, chunk, from, to)) {
    if (!bytes.equals(zeros.subarray(0, bytes.byteLength))) return false
  }
  return true
}

/** Yields the bytes of a range, piece by piece, each in `chunk` and valid until the next. */
async function* chunks(
  path: string,
  handle: FileHandle,
  chunk: Buffer,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let at = from; at < to; at += chunk.byteLength) {
    const bytes = chunk.subarray(0, Math.min(chunk.byteLength, to - at))
    await readWhole(path, handle, bytes, at)
    yield bytes
  }
}

async function readWhole(path: string, handle: FileHandle, into: Buffer, position: number): Promise<void> {
  const length = await readAt(handle, into, position)
  if (length < into.byteLength) throw new CorruptSpillError(path, position + length, 'the file ends inside a frame')
}
