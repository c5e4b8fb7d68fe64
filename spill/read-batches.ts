/** Reads handed-off batches, in the thread that got the refs. */

import { closeSync, openSync } from 'node:fs'
import { CorruptSpillError } from '../src/errors.js'
import type { Batch, BatchRef, FileBatchRef } from './batch.js'
import { decodeFrame, decodePrefix } from './files/frame.js'
import { readAtSync } from './files/read-at.js'
import { spillFailed } from './files/spill-failure.js'

/** Larger reads are not faster, and every worker thread has such a buffer. */
const READ_BYTES = 4 * 2 ** 20

/** This thread's read buffer between passes. A new one for each pass would wait for a rare garbage collection. */
let idle: Buffer | undefined

/**
 * Yields the batches in order; synchronous. Adjoining frames of a file are read together, up to `readBytes` (default 4
 * MiB, or one frame when that is larger), into one buffer that is reused.
 *
 * A batch from memory shares its bytes with every holder of the ref: do not write to them. The bytes of a batch from a
 * file are a view of the read buffer, 8-byte aligned, valid until the next step: copy what must last. Headers own their
 * memory. Throws CorruptSpillError with file and offset, SHARDLOOM_SPILL_FAILED when a file cannot be read.
 */
export function* readBatches<H>(
  refs: readonly BatchRef<H>[],
  options: { readonly readBytes?: number } = {},
): Generator<Batch<H>, void, undefined> {
  const { readBytes = READ_BYTES } = options
  let buffer = idle ?? Buffer.alloc(0)
  idle = undefined
  let opened: { readonly path: string; readonly fd: number } | undefined
  try {
    let index = 0
    while (index < refs.length) {
      const ref = refs[index]
      if (ref.kind === 'memory') {
        yield ref.batch
        index += 1
        continue
      }
      const run = neighbours(refs, index, readBytes)
      const runBytes = run.reduce((sum, { frameBytes }) => sum + frameBytes, 0)
      // Full size at once: growing run by run would leave the smaller buffers to the garbage collector.
      if (buffer.byteLength < runBytes) buffer = Buffer.allocUnsafeSlow(Math.max(runBytes, readBytes))
      if (opened?.path !== ref.path) {
        if (opened !== undefined) close(opened)
        opened = undefined
        opened = { path: ref.path, fd: openToRead(ref.path) }
      }
      readRun(opened, buffer.subarray(0, runBytes), ref.offset)
      let at = 0
      for (const { path, offset, frameBytes, count } of run) {
        const frame = buffer.subarray(at, at + frameBytes)
        const leadBytes = decodePrefix(frame)?.leadBytes ?? frameBytes
        yield decodeFrame<H>(
          frame.subarray(0, leadBytes),
          frame.subarray(leadBytes),
          { frameBytes, count },
          { path, offset },
        )
        at += frameBytes
      }
      index += run.length
    }
  } finally {
    if (buffer.byteLength <= READ_BYTES) idle = buffer
    if (opened !== undefined) close(opened)
  }
}

/** The file refs from `first` on that adjoin each other: at least one, at most `readBytes` in all. */
function neighbours(refs: readonly BatchRef[], first: number, readBytes: number): FileBatchRef[] {
  const run: FileBatchRef[] = []
  let bytes = 0
  for (let index = first; index < refs.length; index++) {
    const ref = refs[index]
    if (ref.kind !== 'file') break
    const last = run.at(-1)
    if (last !== undefined) {
      const adjoins = ref.path === last.path && ref.offset === last.offset + last.frameBytes
      if (!adjoins || bytes + ref.frameBytes > readBytes) break
    }
    run.push(ref)
    bytes += ref.frameBytes
  }
  return run
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw spillFailed(path, 'open it to read spilled batches', error)
  }
}

function close({ path, fd }: { path: string; fd: number }): void {
  try {
    closeSync(fd)
  } catch (error) {
    throw spillFailed(path, 'close it after reading', error)
  }
}

function readRun(file: { path: string; fd: number }, into: Buffer, position: number): void {
  let length: number
  try {
    length = readAtSync(file.fd, into, position)
  } catch (error) {
    throw spillFailed(file.path, 'read spilled batches', error)
  }
  if (length < into.byteLength) {
    throw new CorruptSpillError(file.path, position + length, 'the file ends inside a frame')
  }
}
