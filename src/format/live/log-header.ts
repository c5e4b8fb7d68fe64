/**
 * A log of changes begins with these 64 bytes. Frames follow (`log-frame.ts`), to the end of the file.
 *
 * Layout (little-endian): [0] "SHRD-LOG" [8] u32 version [12] u32 dimensions [16] u32 metric: 1 l2, 2 cosine, 3 ip
 * [20] u32 number of the log [24] f64 first sequence [32] u32 chain, zeros, [60] u32 CRC-32 of the 60 bytes before it.
 *
 * Sequences number the rows of all changes to an index; they are whole numbers from 1 to 2^53 − 1. The first sequence
 * is the smallest that this log may hold. The chain is the CRC that the CRC of the first frame continues: the last frame's
 * of the log before, or 0. The header's own CRC is what the CRC of every frame header continues, so that no frame of
 * another log, and no bytes that a caller wrote into an id, are taken for a frame of this one.
 */
import { crc32 } from '../../../spill/files/crc32.js'
import { METRICS, type Metric } from '../../api/vectors.js'
import { CorruptIndexError } from '../../errors.js'

/** What a log is of. */
export interface LogFacts {
  readonly dimensions: number
  readonly metric: Metric
  /** The number in the file's name, a u32. */
  readonly number: number
  /** The smallest sequence that the log may hold, at least 1. */
  readonly firstSequence: number
  /** The CRC that the first frame continues. */
  readonly chain: number
}

export const LOG_VERSION = 1
export const LOG_HEADER_BYTES = 64

const MAGIC = new TextEncoder().encode('SHRD-LOG')
const FIELDS_END = 36
const CRC_OFFSET = LOG_HEADER_BYTES - 4

/** `log-000007.log` */
export function logFileName(number: number): string {
  return `log-${String(number).padStart(6, '0')}.log`
}

/** @throws RangeError for a number that its field cannot hold */
export function encodeLogHeader({ dimensions, metric, number, firstSequence, chain }: LogFacts): Uint8Array {
  for (const word of [dimensions, number, chain]) {
    if (word !== word >>> 0) throw new RangeError(`a log header cannot hold ${word} in 32 bits`)
  }
  if (!isSequence(firstSequence)) throw new RangeError(`a log cannot begin with sequence ${firstSequence}`)
  const bytes = new Uint8Array(LOG_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  view.setUint32(8, LOG_VERSION, true)
  view.setUint32(12, dimensions, true)
  view.setUint32(16, 1 + METRICS.indexOf(metric), true)
  view.setUint32(20, number, true)
  view.setFloat64(24, firstSequence, true)
  view.setUint32(32, chain, true)
  view.setUint32(CRC_OFFSET, crc32(bytes.subarray(0, CRC_OFFSET)), true)
  return bytes
}

/** The CRC at the end of the header: what the CRCs of all frame headers continue. */
export function fileCrcOf(header: Uint8Array): number {
  return new DataView(header.buffer, header.byteOffset, header.byteLength).getUint32(CRC_OFFSET, true)
}

/** `bytes` may be fewer than a header. @throws CorruptIndexError unless they are a sound header of this version */
export function decodeLogHeader(bytes: Uint8Array, path: string): LogFacts {
  const corrupt = (reason: string, offset: number): CorruptIndexError => new CorruptIndexError(path, reason, { offset })
  if (bytes.length < LOG_HEADER_BYTES) {
    throw corrupt(`the log has ${bytes.length} bytes, its header needs ${LOG_HEADER_BYTES}`, bytes.length)
  }
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) throw corrupt('this is not a log of shardloom (wrong magic)', 0)
  const computed = crc32(bytes.subarray(0, CRC_OFFSET))
  const stored = fileCrcOf(bytes)
  if (computed !== stored) throw corrupt(`the header's CRC is ${hex(computed)}, stored ${hex(stored)}`, 0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint32(8, true)
  if (version !== LOG_VERSION) throw corrupt(`log version ${version}; this shardloom reads version ${LOG_VERSION}`, 8)
  const metric = METRICS.at(view.getUint32(16, true) - 1)
  if (view.getUint32(16, true) === 0 || metric === undefined) {
    throw corrupt(`unknown metric ${view.getUint32(16, true)}`, 16)
  }
  const firstSequence = view.getFloat64(24, true)
  if (!isSequence(firstSequence)) throw corrupt(`the first sequence is ${firstSequence}`, 24)
  const reserved = bytes.subarray(FIELDS_END, CRC_OFFSET).findIndex((byte) => byte !== 0)
  if (reserved !== -1) throw corrupt('a reserved byte of the header is not zero', FIELDS_END + reserved)
  return {
    dimensions: view.getUint32(12, true),
    metric,
    number: view.getUint32(20, true),
    firstSequence,
    chain: view.getUint32(32, true),
  }
}

/** Whether it can number a row. */
export function isSequence(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')
