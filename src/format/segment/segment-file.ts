/** The kinds of segment files, their names, and their entries in the manifest. */
import type { Quantization } from '../../api/report.js'
import type { FieldFileKind } from './field-files.js'
import { quantizedShape } from '../graph/quantized-shape.js'

export type SegmentKind =
  'vectors' | 'links' | 'upper' | 'ids' | 'id-table' | 'codes' | 'codebook' | 'fields' | FieldFileKind

/** The numbers that decide the size of a record. */
interface RecordShape {
  readonly dimensions: number
  readonly m: number
  readonly quantization: Quantization
}

interface KindFacts {
  /** The kind's number in a segment's header. */
  readonly number: number
  /**
   * True: one file for each range of nodes, or for each field, with a number in its name. False: one file for the index.
   */
  readonly numbered: boolean
  /** Bytes of one node's record; 0 when records vary in length. */
  readonly strideBytes: (shape: RecordShape) => number
}

export const ID_TABLE_STRIDE_BYTES = 16

/** Bytes of one node's links: a count and room for 2m. */
export const linksStrideBytes = (m: number): number => 4 * (2 * m + 1)

const variable = (): number => 0

export const SEGMENT_KINDS: Readonly<Record<SegmentKind, KindFacts>> = {
  /** Vectors, f32, by node. */
  vectors: { number: 1, numbered: true, strideBytes: ({ dimensions }) => 4 * dimensions },
  /** Links of level 0, by node. */
  links: { number: 2, numbered: true, strideBytes: ({ m }) => linksStrideBytes(m) },
  /** Links of all upper levels, level by level. */
  upper: { number: 3, numbered: false, strideBytes: variable },
  /** Ids, by node. */
  ids: { number: 4, numbered: true, strideBytes: variable },
  /** Fingerprints of all ids and their nodes, sorted by fingerprint. */
  'id-table': { number: 5, numbered: false, strideBytes: () => ID_TABLE_STRIDE_BYTES },
  /** Quantized vectors, by node; absent with quantization f32. */
  codes: { number: 6, numbered: true, strideBytes: codeBytes },
  /** The codebook of a quantization that has one. */
  codebook: { number: 7, numbered: false, strideBytes: variable },
  /** The fields of records, by node; absent without fields, as the next ones are. */
  fields: { number: 8, numbered: true, strideBytes: variable },
  /** The values of one field, by node. */
  column: { number: 9, numbered: true, strideBytes: variable },
  /** The different keywords of one field. */
  dictionary: { number: 10, numbered: true, strideBytes: variable },
  /** The different words of one text field. */
  terms: { number: 11, numbered: true, strideBytes: variable },
  /** The nodes of each word of one text field. */
  postings: { number: 12, numbered: true, strideBytes: variable },
}

function codeBytes({ quantization, dimensions }: RecordShape): number {
  return quantization === 'f32' ? 0 : quantizedShape(quantization, dimensions).strideBytes
}

/** A segment as the manifest lists it. */
export interface SegmentFile {
  /** The file's name inside its generation folder. */
  readonly name: string
  readonly kind: SegmentKind
  readonly firstNode: number
  readonly count: number
  /** Bytes of the whole file. */
  readonly bytes: number
  /** CRC-32 of the whole file. */
  readonly crc32: number
}

/** Kinds with a file for each range of nodes. */
type RangeKind = 'vectors' | 'links' | 'ids' | 'codes' | 'fields'

/** `vectors-000.seg`, `links-012.seg`, `ids-1000.seg`; a kind with one file has no number: `upper.seg`. */
export function segmentFileName(kind: 'upper' | 'id-table' | 'codebook'): string
export function segmentFileName(kind: RangeKind | FieldFileKind, number: number): string
export function segmentFileName(kind: SegmentKind, number?: number): string {
  return number === undefined ? `${kind}.seg` : `${kind}-${String(number).padStart(3, '0')}.seg`
}

/** The kind of segment that has this name; undefined when it is not a segment's name. */
export function kindOfSegmentName(name: string): SegmentKind | undefined {
  const match = /^([a-z-]+?)(-\d{3,})?\.seg$/.exec(name)
  const kind = SEGMENT_KIND_NAMES.find((one) => one === match?.[1])
  return kind !== undefined && SEGMENT_KINDS[kind].numbered === (match?.[2] !== undefined) ? kind : undefined
}

/** The kind with this number; undefined when there is none. */
export function kindOfSegmentNumber(number: number): SegmentKind | undefined {
  return SEGMENT_KIND_NAMES.find((kind) => SEGMENT_KINDS[kind].number === number)
}

const SEGMENT_KIND_NAMES = Object.keys(SEGMENT_KINDS) as SegmentKind[]
