/** `sequences` in the folder of a part with a graph: f64 x rows, the change that each row came with, and a CRC-32. */
import { join } from 'node:path'
import { crc32 } from '../../../spill/files/crc32.js'
import { CorruptIndexError } from '../../errors.js'
import { readFailure } from '../bytes/file-errors.js'
import { readSmallFile } from '../bytes/read-small-file.js'
import { writeDurably } from '../bytes/write-durably.js'
import { SEQUENCES_NAME } from './live-paths.js'

const CRC_BYTES = 4

export async function writeSequences(folder: string, sequences: Float64Array): Promise<void> {
  const rows = new Uint8Array(sequences.buffer, sequences.byteOffset, sequences.byteLength)
  const bytes = new Uint8Array(rows.length + CRC_BYTES)
  bytes.set(rows)
  new DataView(bytes.buffer).setUint32(rows.length, crc32(rows), true)
  await writeDurably(join(folder, SEQUENCES_NAME), bytes)
}

/** @throws CorruptIndexError */
export async function readSequences(folder: string, rows: number): Promise<Float64Array> {
  const path = join(folder, SEQUENCES_NAME)
  let bytes: Uint8Array
  try {
    bytes = await readSmallFile(path, 8 * rows + CRC_BYTES)
  } catch (error) {
    throw readFailure(path, error)
  }
  const data = bytes.slice(0, -CRC_BYTES)
  const stored =
    bytes.length < CRC_BYTES ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(data.length, true)
  if (data.length !== 8 * rows || crc32(data) !== stored) {
    throw new CorruptIndexError(
      path,
      `${data.length} bytes with CRC ${crc32(data)}, expected ${8 * rows} with ${stored}`,
    )
  }
  return new Float64Array(data.buffer)
}
