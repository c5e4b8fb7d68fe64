/**
 * `live/dead-000012`: rows that a newer version replaced, or a delete removed. For the base and for each part: a u32
 * length, and as many u32 rows, ascending. PARTS has the file's CRC-32.
 */
import { join } from 'node:path'
import { crc32 } from '../../../spill/files/crc32.js'
import { CorruptIndexError } from '../../errors.js'
import { readFailure } from '../bytes/file-errors.js'
import { readSmallFile } from '../bytes/read-small-file.js'
import { writeDurably } from '../bytes/write-durably.js'
import { deadName, LIVE_FOLDER } from './live-paths.js'
import type { DeadFile } from './parts-file.js'

export async function writeDeadRows(
  indexDir: string,
  number: number,
  lists: readonly Uint32Array[],
): Promise<DeadFile> {
  const words = new Uint32Array(lists.reduce((sum, list) => sum + 1 + list.length, 0))
  let at = 0
  for (const list of lists) {
    words[at] = list.length
    words.set(list, at + 1)
    at += 1 + list.length
  }
  const bytes = new Uint8Array(words.buffer)
  const name = deadName(number)
  await writeDurably(join(indexDir, LIVE_FOLDER, name), bytes)
  return { name, bytes: bytes.length, crc32: crc32(bytes) }
}

/** One list for each of `rowCounts`. @throws CorruptIndexError */
export async function readDeadRows(
  indexDir: string,
  file: DeadFile,
  rowCounts: readonly number[],
): Promise<Uint32Array[]> {
  const path = join(indexDir, LIVE_FOLDER, file.name)
  let bytes: Uint8Array
  try {
    bytes = await readSmallFile(path, file.bytes)
  } catch (error) {
    throw readFailure(path, error)
  }
  const crc = crc32(bytes)
  if (bytes.length !== file.bytes || crc !== file.crc32) {
    throw new CorruptIndexError(
      path,
      `${bytes.length} bytes with CRC ${crc}, PARTS says ${file.bytes} and ${file.crc32}`,
    )
  }
  const words = new Uint32Array(bytes.slice().buffer)
  let at = 0
  const lists = rowCounts.map((rows, position) => {
    const length = at < words.length ? words[at] : 0
    const list = words.subarray(at + 1, at + 1 + length)
    if (list.length !== length || list.some((row, i) => row >= rows || (i > 0 && row <= list[i - 1]))) {
      throw new CorruptIndexError(path, `list ${position} has ${length} rows that do not ascend below ${rows}`)
    }
    at += 1 + length
    return list
  })
  if (at !== words.length) throw new CorruptIndexError(path, `${words.length - at} words follow the last list`)
  return lists
}
