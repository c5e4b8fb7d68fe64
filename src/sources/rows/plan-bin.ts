/**
 * fbin, u8bin and i8bin (big-ann-benchmarks.com): u32 rows, u32 d, then the rows as float32, unsigned or signed bytes;
 * little-endian.
 */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, readFully, type ByteReader } from '../bytes/byte-reader.js'
import { checkDataLength, planFlatRows } from './flat-rows.js'
import { VALUE_TYPES, type ValueType } from './value-type.js'
import type { ReadPlan } from '../vector-file.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'

export type BinFormat = 'fbin' | 'u8bin' | 'i8bin'

export const BIN_TYPES: Readonly<Record<BinFormat, ValueType>> = {
  fbin: VALUE_TYPES.f4,
  u8bin: VALUE_TYPES.u1,
  i8bin: VALUE_TYPES.i1,
}

export const BIN_HEADER_BYTES = 8

/** @throws InvalidFileError when d is not 1 to 65,536, or the size does not fit the header; PathError for a pipe */
export function planBin(format: BinFormat): (bytes: ByteReader) => Promise<ReadPlan> {
  return async (bytes) => {
    const byteLength = knownByteLength(bytes, format)
    const header = new Uint8Array(BIN_HEADER_BYTES)
    const got = await readFully(bytes, header, 0)
    if (got < BIN_HEADER_BYTES) {
      const what = got === 0 ? 'it is empty' : 'it is truncated'
      const reason = `${what}: ${format} begins with rows and d (8 bytes), got ${got} bytes`
      throw new InvalidFileError(bytes.path, reason, { offset: got })
    }
    const { count, dimensions } = binHeader(header)
    if (dimensions <= 0 || dimensions > MAX_DIMENSIONS) {
      const reason =
        `its header has d = ${dimensions}, expected 1 to ${MAX_DIMENSIONS}; ` + `it is not ${format}, or it is damaged`
      throw new InvalidFileError(bytes.path, reason, { offset: 4 })
    }
    const rows = { count, dimensions, dataOffset: BIN_HEADER_BYTES, type: BIN_TYPES[format] }
    checkDataLength(bytes.path, byteLength, rows, 'header')
    return planFlatRows(rows)
  }
}

/** Decodes the first 8 bytes. */
export function binHeader(head: Uint8Array): { count: number; dimensions: number } {
  const view = new DataView(head.buffer, head.byteOffset, BIN_HEADER_BYTES)
  return { count: view.getUint32(0, true), dimensions: view.getUint32(4, true) }
}
