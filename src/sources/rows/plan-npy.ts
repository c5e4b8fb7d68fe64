/** npy (numpy.lib.format, versions 1 to 3): floats or short integers, two-dimensional, in any order of bytes and axes. */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, readExactly, readFully, type ByteReader } from '../bytes/byte-reader.js'
import { parseNpyHeader, type NpyHeader } from './npy-header.js'
import { planColumnRows } from './column-rows.js'
import { checkDataLength, planFlatRows, type FlatRows } from './flat-rows.js'
import { npyTypeHint, npyValueType, NPY_TYPES } from './npy-types.js'
import type { ReadPlan } from '../vector-file.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'

export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)
const VERSION_AT = NPY_MAGIC.length
const LENGTH_AT = VERSION_AT + 2

/** A header of three keys is about 100 bytes, and NumPy refuses one above 10,000; this is the limit of version 1. */
const MAX_HEADER_BYTES = 65_535

/** @throws InvalidFileError when it has no rows of a supported type, or its size does not fit its shape; PathError */
export async function planNpy(bytes: ByteReader): Promise<ReadPlan> {
  const byteLength = knownByteLength(bytes, 'npy')
  const { header, dataOffset } = await readNpyHeader(bytes, byteLength)
  const rows = { ...checkedRows(bytes.path, header), dataOffset }
  checkDataLength(bytes.path, byteLength, rows, 'shape')
  // One column is a row after a row in both orders.
  return header.fortranOrder && rows.dimensions > 1 ? planColumnRows(rows) : planFlatRows(rows)
}

/** The header, and the offset after it. @throws InvalidFileError when it is truncated, damaged or of an unknown version */
export async function readNpyHeader(
  bytes: ByteReader,
  byteLength: number,
): Promise<{ header: NpyHeader; dataOffset: number }> {
  const { path } = bytes
  const start = new Uint8Array(LENGTH_AT + 4)
  const got = await readFully(bytes, start, 0)
  const known = start.subarray(0, Math.min(got, NPY_MAGIC.length))
  if (!known.every((byte, i) => byte === NPY_MAGIC[i])) {
    const hex = Buffer.from(known).toString('hex')
    throw new InvalidFileError(path, `it is not npy: expected the first bytes 934e554d5059, got ${hex}`, { offset: 0 })
  }
  const version = start[VERSION_AT]
  const lengthBytes = version === 1 ? 2 : 4
  if (got < LENGTH_AT + lengthBytes) {
    throw new InvalidFileError(path, `it is truncated in its npy header: the file ends after ${got} bytes`, {
      offset: got,
    })
  }
  if (version < 1 || version > 3) {
    const found = `${version}.${start[VERSION_AT + 1]}`
    throw new InvalidFileError(path, `npy version ${found} is unknown, expected 1.0, 2.0 or 3.0`, {
      offset: VERSION_AT,
    })
  }
  const view = new DataView(start.buffer)
  const headerBytes = lengthBytes === 2 ? view.getUint16(LENGTH_AT, true) : view.getUint32(LENGTH_AT, true)
  const headerAt = LENGTH_AT + lengthBytes
  if (headerBytes > MAX_HEADER_BYTES) {
    const reason = `its npy header claims ${headerBytes} bytes, expected at most ${MAX_HEADER_BYTES}`
    throw new InvalidFileError(path, reason, { offset: LENGTH_AT })
  }
  const dataOffset = headerAt + headerBytes
  if (dataOffset > byteLength) {
    const reason =
      'it is truncated in its npy header: ' +
      `expected the header to end at byte ${dataOffset}, got ${byteLength} bytes`
    throw new InvalidFileError(path, reason, { offset: byteLength })
  }
  const text = new Uint8Array(headerBytes)
  await readExactly(bytes, text, headerAt)
  // Versions 1 and 2 are latin-1, 3 is UTF-8; only field names of structured dtypes, which are refused, can differ.
  const header = parseNpyHeader(Buffer.from(text.buffer).toString('latin1'))
  if (typeof header === 'string') {
    throw new InvalidFileError(path, `its npy header cannot be read: ${header.slice(0, 200)}`, { offset: headerAt })
  }
  return { header, dataOffset }
}

function checkedRows(path: string, { descr, shape }: NpyHeader): Omit<FlatRows, 'dataOffset'> {
  const refuse = (reason: string): InvalidFileError => new InvalidFileError(path, reason, { offset: 0 })
  const written = shortened(`(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`)
  const type = npyValueType(descr)
  if (type === undefined) {
    throw refuse(`its dtype is '${shortened(descr)}', expected one of ${NPY_TYPES}; ${npyTypeHint(descr)}`)
  }
  if (shape.length !== 2) {
    throw refuse(
      `its shape is ${written}, ${shape.length}-dimensional, expected 2 dimensions (rows, d); ` +
        'convert it: numpy.save(path, array.reshape(-1, d))',
    )
  }
  const [count, dimensions] = shape
  if (dimensions <= 0 || dimensions > MAX_DIMENSIONS) {
    throw refuse(`its shape is ${written}: d = ${dimensions}, expected 1 to ${MAX_DIMENSIONS}`)
  }
  if (!Number.isSafeInteger(count * dimensions * type.bytes)) {
    throw refuse(`its shape is ${written}: more bytes than any file has; the header is damaged`)
  }
  return { count, dimensions, type }
}

/** Shortens a text, which may be as long as the header. */
function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
