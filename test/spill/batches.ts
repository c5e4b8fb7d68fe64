/** Batches for tests: their content tells which one they are. */

import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Batch, SpillFileSystem } from '../../spill/index.js'

export interface TestHeader {
  readonly number: number
  readonly ids: readonly (string | number)[]
}

/** Batch `number` with `byteLength` bytes that follow from both; over shared memory unless told otherwise. */
export function makeBatch(number: number, byteLength: number, shared = true): Batch<TestHeader> {
  const bytes = new Uint8Array(shared ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength))
  for (let index = 0; index < byteLength; index++) bytes[index] = (number * 31 + index * 7 + (index >> 8)) & 0xff
  return { header: { number, ids: [number, `vector-${number}`] }, count: (number * 3) % 1000, bytes }
}

/** A batch as plain values that outlive its buffers. */
export function snapshot(batch: Batch<TestHeader> | undefined): unknown {
  return batch && { header: batch.header, count: batch.count, hex: Buffer.from(batch.bytes).toString('hex') }
}

const made: string[] = []

afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true })
})

/** A new empty directory, deleted after the test. */
export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spill-test-'))
  made.push(directory)
  return directory
}

/** A file system whose vectored writes and reads are what `change` makes of the real ones. */
export function fileSystemWith(change: {
  open?: (path: string, flags: string) => Promise<void>
  /** Called before every write; may wait, or throw. */
  write?: () => Promise<void>
  /** Bytes taken by one vectored call at most, to force partial ones. */
  callBytes?: () => number
}): SpillFileSystem {
  const first = (parts: readonly NodeJS.ArrayBufferView[]): Uint8Array[] => {
    let left = change.callBytes?.() ?? Infinity
    const some: Uint8Array[] = []
    for (const { buffer, byteOffset, byteLength } of parts) {
      if (left > 0) some.push(new Uint8Array(buffer, byteOffset, Math.min(left, byteLength)))
      left -= byteLength
    }
    return some
  }
  return {
    async open(path, flags) {
      await change.open?.(path, flags)
      const handle = await open(path, flags)
      return {
        async writev(parts, position) {
          await change.write?.()
          const written = await handle.writev(first(parts), position)
          return { ...written, buffers: parts }
        },
        async readv(parts, position) {
          const read = await handle.readv(first(parts), position)
          return { ...read, buffers: parts }
        },
        close: () => handle.close(),
      }
    },
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** A gate that is shut until opened. */
export function makeGate(): { opened: Promise<void>; open: () => void } {
  let resolveOpened: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (resolveOpened = resolve))
  return { opened, open: () => resolveOpened() }
}
