/** Raw float32, little-endian, row after row and nothing else: the caller says how long a row is. */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, type ByteReader } from '../bytes/byte-reader.js'
import { planFlatRows } from './flat-rows.js'
import { VALUE_TYPES } from './value-type.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'

/** @throws InvalidFileError without dimensions, or when the size is not a whole number of rows; PathError for a pipe */
export function planRaw(bytes: ByteReader, { dimensions }: ReadOptions): ReadPlan {
  const byteLength = knownByteLength(bytes, 'raw float32')
  if (dimensions === undefined) {
    const reason = 'raw float32 does not say how long a row is: pass dimensions (--dimensions N)'
    throw new InvalidFileError(bytes.path, reason)
  }
  const rowBytes = 4 * dimensions
  const count = Math.floor(byteLength / rowBytes)
  if (count * rowBytes !== byteLength || byteLength === 0) {
    const rest = byteLength - count * rowBytes
    const reason =
      `with d = ${dimensions} a row of raw float32 is ${rowBytes} bytes, so expected a multiple of ${rowBytes}, ` +
      `got ${byteLength} bytes (${count} rows and ${rest} bytes); it is truncated, or d is another`
    throw new InvalidFileError(bytes.path, reason, { offset: count * rowBytes })
  }
  return planFlatRows({ count, dimensions, dataOffset: 0, type: VALUE_TYPES.f4 })
}
