/**
 * Files of plain data and arrays: tasks on their way to a host, and outcomes on their way back.
 *
 *     [u32 magic][u32 headBytes][u32 crc32 of the head][u32 0]    the prefix
 *     [head: msgpack][zeros to 8]
 *     [bytes of an array][zeros to 8] …                           in the order of the head
 *
 * A Place names a whole file and has the CRC-32 of all of it. A file is written once, whole, and closed before anyone
 * hears of it: that is what NFS needs to show it to other hosts.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from '../../../spill/files/crc32.js'
import { padded } from '../../../spill/files/frame.js'
import { readAt } from '../../../spill/files/read-at.js'
import { spillFailure } from '../../../spill/files/spill-failure.js'
import { skipBytes } from '../../../spill/files/spill-file.js'
import { CorruptSpillError } from '../../errors.js'
import { writeFailure } from '../../format/bytes/file-errors.js'
import { writePartsAt } from '../../format/bytes/write-durably.js'
import type { Place } from '../messages.js'
import { decodeHead, NotPlain, type EncodedData, type Head } from './plain-data.js'

/** 'SLCT' */
const MAGIC = 0x54434c53
const PREFIX_BYTES = 16
/** The first read: the head of nearly every file is in it. */
const FIRST_READ_BYTES = 16 * 1024
/** A file that is said to be larger is asked for its size before memory is taken for it. */
const UNCHECKED_BYTES = 64 * 2 ** 20
const ZEROS = new Uint8Array(8)

/** The file as parts for one vectored write: the arrays are views. */
export function dataFileParts({ head, arrays }: EncodedData): Uint8Array[] {
  const lead = Buffer.alloc(PREFIX_BYTES + padded(head.length))
  lead.writeUInt32LE(MAGIC, 0)
  lead.writeUInt32LE(head.length, 4)
  lead.writeUInt32LE(crc32(head), 8)
  lead.set(head, PREFIX_BYTES)
  const parts: Uint8Array[] = [lead]
  for (const array of arrays) parts.push(array, ZEROS.subarray(0, padded(array.length) - array.length))
  return parts.filter((part) => part.length > 0)
}

/** Writes a new file. `relative` is its name in the Place. @throws DiskFullError and other file errors */
export async function writeDataFile(file: string, relative: string, data: EncodedData): Promise<Place> {
  return writeNewFile(file, relative, dataFileParts(data))
}

/** Writes a new file of these bytes. @throws DiskFullError and other file errors */
export async function writeNewFile(file: string, relative: string, parts: readonly Uint8Array[]): Promise<Place> {
  let bytes = 0
  let crc = 0
  for (const part of parts) {
    bytes += part.length
    crc = crc32(part, crc)
  }
  try {
    const handle = await open(file, 'wx')
    try {
      await writePartsAt(handle, parts, 0)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw writeFailure(file, bytes, error)
  }
  return { file: relative, offset: 0, bytes, crc }
}

/**
 * Reads a file. `memoryOf` gives the memory for each array of its head, and is not called for a damaged head. The bytes
 * go there before their checksum is known: on an error they are any.
 * @throws CorruptSpillError when it is not the file of the Place, SHARDLOOM_SPILL_FAILED when it cannot be read
 */
export async function readDataFile(
  file: string,
  place: Place,
  memoryOf: (head: Head) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>,
): Promise<Head> {
  const damaged = (offset: number, reason: string): CorruptSpillError => new CorruptSpillError(file, offset, reason)
  if (place.offset !== 0) throw damaged(0, `the file of a task begins at ${place.offset}`)
  try {
    const handle = await open(file, 'r')
    try {
      if (place.bytes > UNCHECKED_BYTES) await checkSize(handle, file, place)
      const lead = await readLead(handle, file, place.bytes)
      const head = decodeHead(lead.head)
      const sizes = head.arrays.reduce((sum, { bytes }) => sum + padded(bytes), 0)
      if (lead.end + sizes !== place.bytes) {
        throw damaged(lead.end, `its head says ${lead.end + sizes} bytes, the file has ${place.bytes}`)
      }
      const memory = await memoryOf(head)
      const parts = memory.flatMap((bytes) => [bytes, new Uint8Array(padded(bytes.length) - bytes.length)])
      await fill(handle, file, parts, lead)
      const crc = parts.reduce((sum, part) => crc32(part, sum), crc32(lead.bytes.subarray(0, lead.end)))
      if (crc !== place.crc) throw damaged(0, `the file's crc32 is ${hex(crc)}, expected ${hex(place.crc)}`)
      return head
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof NotPlain) throw damaged(PREFIX_BYTES, error.message)
    throw await spillFailure(file, 'read the file of a task', 0, error)
  }
}

/** Before memory is taken for what a Place says: the file has it. */
export async function checkSize(handle: FileHandle, file: string, { offset, bytes }: Place): Promise<void> {
  const { size } = await handle.stat()
  if (offset + bytes > size) {
    throw new CorruptSpillError(file, size, `the file has ${size} bytes, expected ${offset + bytes}`)
  }
}

interface Lead {
  /** The prefix, the head, and what was read with them. */
  readonly bytes: Buffer
  readonly head: Buffer
  /** Where head and padding end. */
  readonly end: number
}

async function readLead(handle: FileHandle, file: string, fileBytes: number): Promise<Lead> {
  let bytes = Buffer.alloc(Math.min(FIRST_READ_BYTES, fileBytes))
  const got = await readAt(handle, bytes, 0)
  if (got < bytes.length) throw new CorruptSpillError(file, got, 'the file ends before it should')
  if (got < PREFIX_BYTES || bytes.readUInt32LE(0) !== MAGIC) {
    throw new CorruptSpillError(file, 0, 'this is not the file of a task')
  }
  const headBytes = bytes.readUInt32LE(4)
  const end = PREFIX_BYTES + padded(headBytes)
  if (end > fileBytes) throw new CorruptSpillError(file, 4, `a head of ${headBytes} bytes in a file of ${fileBytes}`)
  if (end > bytes.length) {
    bytes = Buffer.concat([bytes, Buffer.alloc(end - bytes.length)])
    await readAt(handle, bytes.subarray(got), got)
  }
  const head = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headBytes)
  if (crc32(head) !== bytes.readUInt32LE(8)) throw new CorruptSpillError(file, PREFIX_BYTES, 'the head is damaged')
  return { bytes, head, end }
}

/** Reads what follows the head: what came with it is copied, the rest goes straight to its memory. */
async function fill(handle: FileHandle, file: string, parts: Uint8Array[], { bytes, end }: Lead): Promise<void> {
  const extra = bytes.subarray(end)
  let copied = 0
  for (const part of parts) {
    const piece = extra.subarray(copied, copied + part.length)
    part.set(piece)
    copied += piece.length
  }
  let position = end + copied
  let rest = skipBytes(parts, copied).filter((part) => part.length > 0)
  while (rest.length > 0) {
    const { bytesRead } = await handle.readv(rest, position)
    if (bytesRead === 0) throw new CorruptSpillError(file, position, 'the file ends inside an array')
    position += bytesRead
    rest = skipBytes(rest, bytesRead)
  }
}

function hex(crc: number): string {
  return crc.toString(16)
}
