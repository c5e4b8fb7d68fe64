/** npz (numpy.savez): a zip archive of npy arrays, as they are or deflated. */
import { InvalidFileError } from '../../errors.js'
import { knownByteLength, type ByteReader } from '../bytes/byte-reader.js'
import { bytesWithin, ForwardBytes } from '../bytes/forward-bytes.js'
import { inflateRaw } from '../bytes/gunzip.js'
import { readNpyHeader } from '../rows/plan-npy.js'
import { npyValueType } from '../rows/npy-types.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import { isIdType } from './flat-ids.js'
import { planNamedArrays, type NamedArray } from './named-arrays.js'
import { entryDataAt, zipEntries, type ZipEntry } from './zip-entries.js'

export const ZIP_MAGIC = Uint8Array.of(0x50, 0x4b, 0x03, 0x04)

const [STORED, DEFLATED] = [0, 8]
const MAX_ARRAYS = 1000

/**
 * Reads the headers of its arrays.
 * @throws InvalidFileError when it is truncated, damaged, or has no such array; PathError for a pipe
 */
export async function planNpz(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  const byteLength = knownByteLength(bytes, 'npz')
  const entries = await zipEntries(bytes, byteLength)
  const arrays = entries.filter(({ name }) => name.endsWith('.npy')).slice(0, MAX_ARRAYS)
  if (arrays.length === 0) throw new InvalidFileError(bytes.path, noArrays(entries), { offset: 0 })
  const named: NamedArray[] = []
  for (const entry of arrays) named.push(await arrayOf(bytes, entry, byteLength))
  const plan = planNamedArrays(bytes.path, named, options)
  return plan
}

function noArrays(entries: readonly ZipEntry[]): string {
  if (entries.some(({ name }) => name.endsWith('data.pkl'))) {
    return `it is a file of PyTorch, which is a pickle: numpy.save(path, tensor.float().cpu().numpy()), and build from that`
  }
  const names = entries.slice(0, 5).map(({ name }) => name.slice(0, 60))
  return `it is a zip archive without an npy array (it has ${names.join(', ') || 'no files'}); unpack it first`
}

async function arrayOf(bytes: ByteReader, entry: ZipEntry, byteLength: number): Promise<NamedArray> {
  const name = entry.name.slice(0, -'.npy'.length)
  const open = (pass: ByteReader): Promise<ByteReader> => openEntry(pass, entry, byteLength)
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    return { name, type: `compressed by method ${entry.method}`, use: 'none', rows: undefined, ids: undefined, open }
  }
  const opened = await open(bytes)
  try {
    const { header, dataOffset } = await readNpyHeader(opened, entry.plainBytes)
    const { descr, shape, fortranOrder } = header
    const [count, dimensions] = shape
    const type = shape.length === 2 ? npyValueType(descr) : undefined
    const [, order, kind, width] = /^([<>|])([iuSU])(\d+)$/.exec(descr.slice(0, 20)) ?? []
    const idBytes = kind === 'U' ? 4 * Number(width) : Number(width)
    const isIds = shape.length === 1 && isIdType(kind, idBytes) && order !== '>'
    const needed = type === undefined ? idBytes * count : type.bytes * count * dimensions
    const isWhole = dataOffset + needed === entry.plainBytes
    if ((type !== undefined || isIds) && !isWhole) throw wrongSize(bytes.path, name, dataOffset + needed, entry)
    const isJumping = fortranOrder && type !== undefined && dimensions > 1 && entry.method === DEFLATED
    return {
      name,
      type: `${descr.slice(0, 20)} (${shape.join(', ').slice(0, 60)})${isJumping ? ' in Fortran order, compressed' : ''}`,
      use: isJumping
        ? 'none'
        : type !== undefined
          ? type.bytes === 1
            ? 'byte vector'
            : 'vector'
          : isIds
            ? 'id'
            : 'none',
      rows: type && { count, dimensions, dataOffset, type },
      byColumn: fortranOrder,
      ids: isIds ? { kind, bytes: idBytes, dataOffset, count, name } : undefined,
      open,
    }
  } finally {
    await opened.close()
  }
}

function wrongSize(path: string, name: string, expected: number, { plainBytes, at }: ZipEntry): InvalidFileError {
  const reason = `its array ${JSON.stringify(name)} has ${plainBytes} bytes, expected ${expected} by its header`
  return new InvalidFileError(path, reason, { offset: at })
}

async function openEntry(bytes: ByteReader, entry: ZipEntry, byteLength: number): Promise<ByteReader> {
  const packed = bytesWithin(bytes, await entryDataAt(bytes, entry, byteLength), entry.packedBytes)
  if (entry.method === STORED) return { ...packed, byteLength: entry.plainBytes }
  return new ForwardBytes(bytes.path, entry.plainBytes, () => inflateRaw(packed))
}
