/** The files in a zip archive, by its directory at the end; also with 64-bit sizes. */
import { InvalidFileError } from '../../errors.js'
import { readExactly, type ByteReader } from '../bytes/byte-reader.js'

export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly packedBytes: number
  readonly plainBytes: number
  /** Offset of its header, which is before its data. */
  readonly at: number
}

const [END, END_64, LOCATOR_64, ENTRY, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50]
const END_BYTES = 22
const LOCATOR_BYTES = 20
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
/** The end may be followed by a comment. */
const MAX_COMMENT_BYTES = 65_535
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
/** Where the 64-bit value is elsewhere. */
const ELSEWHERE = 0xffffffff

/** @throws InvalidFileError when the archive is truncated or damaged */
export async function zipEntries(bytes: ByteReader, byteLength: number): Promise<ZipEntry[]> {
  const { at, size } = await directoryPlace(bytes, byteLength)
  const refuse = (offset: number): InvalidFileError =>
    new InvalidFileError(bytes.path, 'its zip directory is damaged', { offset })
  if (!(at >= 0 && size >= 0 && at + size <= byteLength && size <= MAX_DIRECTORY_BYTES)) throw refuse(byteLength)
  const directory = new Uint8Array(size)
  await readExactly(bytes, directory, at)
  const view = new DataView(directory.buffer)
  const entries: ZipEntry[] = []
  try {
    for (let from = 0; from < size;) {
      if (view.getUint32(from, true) !== ENTRY) throw refuse(at + from)
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => view.getUint16(from + place, true))
      const nameAt = from + ENTRY_BYTES
      const extra = new DataView(directory.buffer, nameAt + nameBytes, extraBytes)
      const wide = wideValues(extra)
      const [plainBytes, packedBytes, headerAt] = [24, 20, 42].map((place) => {
        const value = view.getUint32(from + place, true)
        return value === ELSEWHERE ? (wide.shift() ?? NaN) : value
      })
      if (![plainBytes, packedBytes, headerAt].every((value) => Number.isSafeInteger(value))) throw refuse(at + from)
      const name = Buffer.from(directory.buffer, nameAt, nameBytes).toString('utf8')
      entries.push({ name, method: view.getUint16(from + 10, true), packedBytes, plainBytes, at: headerAt })
      from = nameAt + nameBytes + extraBytes + commentBytes
    }
  } catch (cause) {
    throw cause instanceof InvalidFileError ? cause : refuse(at)
  }
  return entries
}

/** The 64-bit values of an entry that has them: size, packed size and offset, without those that fit 32 bits. */
function wideValues(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const [id, length] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)]
    if (id === 1) {
      return Array.from({ length: Math.floor(length / 8) }, (_, i) => Number(extra.getBigUint64(at + 4 + 8 * i, true)))
    }
    at += 4 + length
  }
  return []
}

async function directoryPlace(bytes: ByteReader, byteLength: number): Promise<{ at: number; size: number }> {
  const tail = new Uint8Array(Math.min(byteLength, END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES))
  const tailAt = byteLength - tail.length
  await readExactly(bytes, tail, tailAt)
  const view = new DataView(tail.buffer)
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END || at + END_BYTES + view.getUint16(at + 20, true) !== tail.length) continue
    const locatorAt = at - LOCATOR_BYTES
    if (locatorAt >= 0 && view.getUint32(locatorAt, true) === LOCATOR_64) {
      return widePlace(bytes, Number(view.getBigUint64(locatorAt + 8, true)), byteLength)
    }
    return { size: view.getUint32(at + 12, true), at: view.getUint32(at + 16, true) }
  }
  const reason = 'it is truncated, or no zip archive: its directory, at its end, is missing'
  throw new InvalidFileError(bytes.path, reason, { offset: byteLength })
}

async function widePlace(bytes: ByteReader, at: number, byteLength: number): Promise<{ at: number; size: number }> {
  const end = new Uint8Array(56)
  if (at + end.length <= byteLength) {
    await readExactly(bytes, end, at)
    const view = new DataView(end.buffer)
    if (view.getUint32(0, true) === END_64) {
      return { size: Number(view.getBigUint64(40, true)), at: Number(view.getBigUint64(48, true)) }
    }
  }
  throw new InvalidFileError(bytes.path, 'its zip directory is damaged', { offset: Math.min(at, byteLength) })
}

/** Offset of the data of an entry. @throws InvalidFileError when it is not in the file */
export async function entryDataAt(bytes: ByteReader, entry: ZipEntry, byteLength: number): Promise<number> {
  const header = new Uint8Array(LOCAL_BYTES)
  if (entry.at + LOCAL_BYTES <= byteLength) {
    await readExactly(bytes, header, entry.at)
    const view = new DataView(header.buffer)
    const dataAt = entry.at + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true)
    if (view.getUint32(0, true) === LOCAL && dataAt + entry.packedBytes <= byteLength) return dataAt
  }
  const offset = Math.min(entry.at, byteLength)
  throw new InvalidFileError(bytes.path, `its zip entry ${JSON.stringify(entry.name.slice(0, 60))} is damaged`, {
    offset,
  })
}
