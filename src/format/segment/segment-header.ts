/**
 * The first page of every .seg file: its kind, its nodes and the shape of its records.
 *
 * Layout (little-endian): [0] "SHRDLOOM" [8] u32 version [12] u32 kind [16] u64 firstNode [24] u64 count
 * [32] u32 strideBytes [36] u32 dimensions [40] u64 dataBytes [48] u32 blockBytes, zeros,
 * [4092] u32 CRC-32 of the 4092 bytes before it.
 * After it: dataBytes of data; a u32 CRC-32 for each block of data; a u32 CRC-32 of that table.
 */
import { CorruptIndexError } from '../../errors.js'
import { quantizedShape, type CodeQuantization } from '../graph/quantized-shape.js'
import { crc32 } from '../../../spill/files/crc32.js'
import type { FieldFileKind } from './field-files.js'
import {
  ID_TABLE_STRIDE_BYTES,
  kindOfSegmentNumber,
  linksStrideBytes,
  SEGMENT_KINDS,
  type SegmentKind,
} from './segment-file.js'

export interface SegmentHeader {
  readonly kind: SegmentKind
  readonly firstNode: number
  /** Nodes in the segment (upper: nodes of level 1; codebook: 0). */
  readonly count: number
  /** Bytes of one node's record; 0 when records vary in length. */
  readonly strideBytes: number
  /** Dimensions of the caller's vectors, in every kind. */
  readonly dimensions: number
  readonly dataBytes: number
}

export const SEGMENT_VERSION = 1
export const SEGMENT_HEADER_BYTES = 4096
/** Bytes under one checksum. With 64 KiB a first search takes a fifth longer; below 16 KiB only the tables grow. */
export const SEGMENT_BLOCK_BYTES = 16384

/** The first bytes of every segment. */
export const SEGMENT_MAGIC = new TextEncoder().encode('SHRDLOOM')
const CRC_OFFSET = SEGMENT_HEADER_BYTES - 4
const FIELDS_END = 52
/** Compared in one call: a loop over the bytes takes a third of the time of opening an index. */
const ZEROS = new Uint8Array(CRC_OFFSET - FIELDS_END)
/** The header of a segment whose records have one length. */
function recordsHeader(kind: SegmentKind, nodes: SegmentNodes, strideBytes: number): SegmentHeader {
  const { firstNode, count, dimensions } = nodes
  return { kind, firstNode, count, dimensions, strideBytes, dataBytes: strideBytes * count }
}

/** The header of a segment whose records vary in length. */
function variableHeader(kind: SegmentKind, shape: SegmentNodes & { readonly dataBytes: number }): SegmentHeader {
  const { firstNode, count, dimensions, dataBytes } = shape
  return { kind, firstNode, count, dimensions, strideBytes: 0, dataBytes }
}

/** The nodes of a segment: `count` of them from `firstNode` on. */
interface SegmentNodes {
  readonly firstNode: number
  readonly count: number
  readonly dimensions: number
}

export function vectorsHeader(nodes: SegmentNodes): SegmentHeader {
  return recordsHeader('vectors', nodes, 4 * nodes.dimensions)
}

export function linksHeader(nodes: SegmentNodes & { readonly m: number }): SegmentHeader {
  return recordsHeader('links', nodes, linksStrideBytes(nodes.m))
}

export function codesHeader(nodes: SegmentNodes & { readonly quantization: CodeQuantization }): SegmentHeader {
  return recordsHeader('codes', nodes, quantizedShape(nodes.quantization, nodes.dimensions).strideBytes)
}

export function idTableHeader(shape: { count: number; dimensions: number }): SegmentHeader {
  return recordsHeader('id-table', { firstNode: 0, ...shape }, ID_TABLE_STRIDE_BYTES)
}

/** `dataBytes`: length of the bytes that `encodeIds` gave. */
export function idsHeader(shape: SegmentNodes & { readonly dataBytes: number }): SegmentHeader {
  return variableHeader('ids', shape)
}

/** `dataBytes`: offsets and field rows. */
export function fieldsHeader(shape: SegmentNodes & { readonly dataBytes: number }): SegmentHeader {
  return variableHeader('fields', shape)
}

/** Of a file of one field. `count`: nodes of the index. */
export function fieldFileHeader(
  kind: FieldFileKind,
  shape: { readonly count: number; readonly dimensions: number; readonly dataBytes: number },
): SegmentHeader {
  return variableHeader(kind, { firstNode: 0, ...shape })
}

/** `count`: nodes of level 1. `dataBytes`: length of the bytes that `encodeUpper` gave. */
export function upperHeader(shape: { count: number; dimensions: number; dataBytes: number }): SegmentHeader {
  return variableHeader('upper', { firstNode: 0, ...shape })
}

/** For a quantization that has a codebook. */
export function codebookHeader(shape: { dimensions: number; quantization: CodeQuantization }): SegmentHeader {
  const { dimensions, quantization } = shape
  const dataBytes = quantizedShape(quantization, dimensions).codebookBytes
  return { kind: 'codebook', firstNode: 0, count: 0, dimensions, strideBytes: 0, dataBytes }
}

export const segmentBlockCount = (dataBytes: number): number => Math.ceil(dataBytes / SEGMENT_BLOCK_BYTES)

/** Bytes of the footer: one CRC for each block, and one of these CRCs. */
export const segmentFooterBytes = (dataBytes: number): number => 4 * segmentBlockCount(dataBytes) + 4

/** Bytes of the sealed file. */
export const segmentFileBytes = (dataBytes: number): number =>
  SEGMENT_HEADER_BYTES + dataBytes + segmentFooterBytes(dataBytes)

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const page = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = new DataView(page.buffer)
  page.set(SEGMENT_MAGIC)
  view.setUint32(8, SEGMENT_VERSION, true)
  view.setUint32(12, SEGMENT_KINDS[header.kind].number, true)
  view.setBigUint64(16, BigInt(header.firstNode), true)
  view.setBigUint64(24, BigInt(header.count), true)
  view.setUint32(32, header.strideBytes, true)
  view.setUint32(36, header.dimensions, true)
  view.setBigUint64(40, BigInt(header.dataBytes), true)
  view.setUint32(48, SEGMENT_BLOCK_BYTES, true)
  view.setUint32(CRC_OFFSET, crc32(page.subarray(0, CRC_OFFSET)), true)
  return page
}

/** @throws CorruptIndexError when the page is not a sound header of this version */
export function decodeSegmentHeader(page: Uint8Array, path: string): SegmentHeader {
  const corrupt = (reason: string, offset?: number): CorruptIndexError =>
    new CorruptIndexError(path, reason, { offset })
  if (page.length !== SEGMENT_HEADER_BYTES) {
    throw corrupt(`the header page has ${page.length} bytes, expected ${SEGMENT_HEADER_BYTES}`)
  }
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  if (!SEGMENT_MAGIC.every((byte, at) => page[at] === byte))
    throw corrupt('this is not a shardloom segment (wrong magic)', 0)
  const stored = view.getUint32(CRC_OFFSET, true)
  const computed = crc32(page.subarray(0, CRC_OFFSET))
  if (stored !== computed) throw corrupt(`the header's CRC is ${hex(computed)}, stored ${hex(stored)}`, 0)
  const version = view.getUint32(8, true)
  if (version !== SEGMENT_VERSION) {
    throw corrupt(`segment version ${version}; this shardloom reads version ${SEGMENT_VERSION}`, 8)
  }
  const kind = kindOfSegmentNumber(view.getUint32(12, true))
  if (kind === undefined) throw corrupt(`unknown segment kind ${view.getUint32(12, true)}`, 12)
  const blockBytes = view.getUint32(48, true)
  if (blockBytes !== SEGMENT_BLOCK_BYTES) {
    throw corrupt(`checksum blocks of ${blockBytes} bytes, expected ${SEGMENT_BLOCK_BYTES}`, 48)
  }
  const reserved = page.subarray(FIELDS_END, CRC_OFFSET)
  if (Buffer.compare(reserved, ZEROS) !== 0) {
    throw corrupt('a reserved byte of the header is not zero', FIELDS_END + reserved.findIndex((byte) => byte !== 0))
  }
  const size = (offset: number, name: string): number => {
    const value = view.getBigUint64(offset, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(`${name} is ${value}, beyond 2^53`, offset)
    return Number(value)
  }
  const header: SegmentHeader = {
    kind,
    firstNode: size(16, 'firstNode'),
    count: size(24, 'count'),
    strideBytes: view.getUint32(32, true),
    dimensions: view.getUint32(36, true),
    dataBytes: size(40, 'dataBytes'),
  }
  if (header.strideBytes > 0 && header.strideBytes * header.count !== header.dataBytes) {
    const { count, strideBytes, dataBytes } = header
    throw corrupt(`${count} records of ${strideBytes} bytes do not make ${dataBytes} bytes of data`, 32)
  }
  return header
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')
