/** Small writers of each format, independent of the readers they test, and what the tests share. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { InvalidFileError } from '../../src/errors.js'
import type { Id } from '../../src/types.js'
import type { VectorFile } from '../../src/sources/vector-file.js'

/** A temp folder for the test file that calls this; gone when its tests are done. */
export function temporaryFolder(): { file(name: string, content?: Uint8Array | string): string } {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'shardloom-sources-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    file(name, content) {
      const full = path.join(folder, name)
      if (content !== undefined) writeFileSync(full, content)
      return full
    },
  }
}

export type Rows = readonly (readonly number[])[]

export function int32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => bytes.writeInt32LE(value, 4 * i))
  return bytes
}

export function float32(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => bytes.writeFloatLE(value, 4 * i))
  return bytes
}

export function fvecs(rows: Rows): Buffer {
  return Buffer.concat(rows.flatMap((row) => [int32(row.length), float32(row)]))
}

export function bvecs(rows: Rows): Buffer {
  return Buffer.concat(rows.flatMap((row) => [int32(row.length), Buffer.from(row)]))
}

export function ivecs(rows: Rows): Buffer {
  return Buffer.concat(rows.map((row) => int32(row.length, ...row)))
}

/** An npy file with any header text, so that tests can lie. */
export function npyWith(header: string, data: Buffer, version = 1): Buffer {
  const prefixBytes = version === 1 ? 10 : 12
  const padded = header + ' '.repeat(63 - ((prefixBytes + header.length) % 64)) + '\n'
  const prefix = Buffer.alloc(prefixBytes)
  prefix.write('\x93NUMPY', 'latin1')
  prefix[6] = version
  if (version === 1) prefix.writeUInt16LE(padded.length, 8)
  else prefix.writeUInt32LE(padded.length, 8)
  return Buffer.concat([prefix, Buffer.from(padded, 'latin1'), data])
}

export function npyHeader(shape: string, descr = "'<f4'", order = 'False'): string {
  return `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`
}

export function npy(rows: Rows, version = 1): Buffer {
  return npyWith(npyHeader(`(${rows.length}, ${rows[0].length})`), float32(rows.flat()), version)
}

export type NumberType = 'f2' | 'f4' | 'f8' | 'i1' | 'u1' | 'i2' | 'u2'

/** The numbers as bytes; halves only of what half precision holds exactly. */
export function numbers(type: NumberType, values: readonly number[]): Buffer {
  const width = Number(type[1])
  const bytes = Buffer.alloc(width * values.length)
  const writers: Record<NumberType, (value: number, at: number) => unknown> = {
    f2: (value, at) => bytes.writeUInt16LE(halfBits(value), at),
    f4: (value, at) => bytes.writeFloatLE(value, at),
    f8: (value, at) => bytes.writeDoubleLE(value, at),
    i1: (value, at) => bytes.writeInt8(value, at),
    u1: (value, at) => bytes.writeUInt8(value, at),
    i2: (value, at) => bytes.writeInt16LE(value, at),
    u2: (value, at) => bytes.writeUInt16LE(value, at),
  }
  values.forEach((value, i) => writers[type](value, width * i))
  return bytes
}

/** By way of the value's float32 bits; of numbers that half precision holds, and not of its subnormals. */
export function halfBits(value: number): number {
  const bits = new DataView(new ArrayBuffer(4))
  bits.setFloat32(0, value)
  const [high, exponent] = [bits.getUint32(0), (bits.getUint32(0) >>> 23) & 0xff]
  const sign = (high >>> 16) & 0x8000
  if (exponent === 0) return sign
  if (exponent === 0xff) return sign | 0x7c00 | ((high >>> 13) & 0x3ff)
  return sign | ((exponent - 112) << 10) | ((high >>> 13) & 0x3ff)
}

export function npyOf(descr: string, rows: Rows): Buffer {
  const header = npyHeader(`(${rows.length}, ${rows[0].length})`, `'${descr}'`)
  return npyWith(header, numbers(descr.slice(1) as NumberType, rows.flat()))
}

/** fbin, u8bin or i8bin. */
export function bin(type: NumberType, rows: Rows): Buffer {
  return Buffer.concat([int32(rows.length, rows[0].length), numbers(type, rows.flat())])
}

/** JSON has no negative zero of its own making: JSON.stringify writes 0 for it. */
const jsonNumber = (value: number): string => (Object.is(value, -0) ? '-0' : JSON.stringify(value))

export function jsonLines(rows: Rows, ids?: readonly Id[]): string {
  return rows
    .map((row, i) => {
      const id = ids === undefined ? '' : `"id":${JSON.stringify(ids[i])},`
      return `{${id}"vector":[${row.map(jsonNumber).join(',')}]}\n`
    })
    .join('')
}

/** Copies of all rows and ids of a pass. */
export async function readAll(file: Pick<VectorFile, 'batches'>): Promise<{ rows: number[][]; ids: Id[] }> {
  const rows: number[][] = []
  const ids: Id[] = []
  for await (const batch of file.batches()) {
    for (let at = 0; at < batch.vectors.length; at += batch.dimensions) {
      rows.push([...batch.vectors.subarray(at, at + batch.dimensions)])
    }
    ids.push(...(batch.ids ?? []))
  }
  return { rows, ids }
}

/** The rows of a pass until it throws, and what it threw. */
export async function readUntilError(file: Pick<VectorFile, 'batches'>): Promise<{ rows: number; error: unknown }> {
  let rows = 0
  try {
    for await (const batch of file.batches()) rows += batch.vectors.length / batch.dimensions
  } catch (error) {
    return { rows, error }
  }
  return { rows, error: undefined }
}

/** The InvalidFileError that `attempt` must end with. */
export async function invalidFile(attempt: Promise<unknown>): Promise<InvalidFileError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof InvalidFileError) return error
  throw new Error(`expected an InvalidFileError, got ${String(error)}`)
}

/** How often this process has `file` open. */
export function openHandles(file: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file
    } catch {
      // The listing's own descriptor is gone by now.
      return false
    }
  }).length
}

/** OpenAI's batch output, one request a vector. */
export function openaiBatch(rows: Rows, ids: readonly string[] = rows.map((_, i) => `request-${i}`)): string {
  return rows
    .map((row, i) => {
      const data = `[{"object":"embedding","index":0,"embedding":[${row.map(jsonNumber).join(',')}]}]`
      const response = `{"status_code":200,"request_id":"r${i}","body":{"object":"list","data":${data},"model":"m"}}`
      return `{"id":"b${i}","custom_id":${JSON.stringify(ids[i])},"response":${response},"error":null}\n`
    })
    .join('')
}

/** Zstandard without compressing: raw blocks, in frames of so many bytes of content. */
export function zstdRaw(content: Uint8Array | string, frameBytes = 200_000): Buffer {
  const bytes = Buffer.from(content as string)
  const parts: Buffer[] = []
  for (let at = 0; at < Math.max(1, bytes.length); at += frameBytes) {
    // No checksum, no content size; a window of 128 KiB.
    parts.push(Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38))
    const frame = bytes.subarray(at, at + frameBytes)
    for (let from = 0; from === 0 || from < frame.length; from += 100_000) {
      const block = frame.subarray(from, from + 100_000)
      const start = Buffer.alloc(4)
      start.writeUInt32LE((block.length << 3) | Number(from + 100_000 >= frame.length))
      parts.push(start.subarray(0, 3), block)
    }
  }
  return Buffer.concat(parts)
}
