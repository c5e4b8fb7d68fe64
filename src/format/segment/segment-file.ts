/** A segment as the manifest lists it. */
import type { SegmentKind } from './segment-header.js'

export interface SegmentFile {
  /** The file's name inside its generation folder. */
  readonly name: string
  readonly kind: SegmentKind
  readonly firstNode: number
  readonly count: number
  /** Of the whole file. */
  readonly bytes: number
  /** Of the whole file. */
  readonly crc32: number
}

/** `vectors-000.seg`, `links-012.seg`, `ids-1000.seg`; `upper.seg` and others that exist once have no number. */
export function segmentFileName(kind: 'upper' | 'id-table' | 'codebook'): string
export function segmentFileName(kind: 'vectors' | 'links' | 'ids' | 'codes', number: number): string
export function segmentFileName(kind: SegmentKind, number?: number): string {
  return number === undefined ? `${kind}.seg` : `${kind}-${String(number).padStart(3, '0')}.seg`
}

const NAME = /^(?:(vectors|links|ids|codes)-\d{3,}|(upper|id-table|codebook))\.seg$/

/** Which kind of segment may have this name; undefined when it is no segment's name. */
export function kindOfSegmentName(name: string): SegmentKind | undefined {
  const match = NAME.exec(name)
  return match === null ? undefined : ((match[1] ?? match[2]) as SegmentKind)
}
