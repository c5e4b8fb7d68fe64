import { CorruptIndexError } from '../../errors.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import type { Values, ValueKind } from './values/column-values.js'

/** Bytes that a scan reads at once: what `SegmentBlocks` reads without new memory. */
export const PIECE_BYTES = 8 * 16_384

/** One for the thread: reads are synchronous, and no scan begins within another one. */
const scratch = new ArrayBuffer(PIECE_BYTES)

/** Numbers of the scratch memory, for values that are not held: valid until the next call. */
export function scratchOf<V extends Values>(kind: ValueKind<V>): V {
  return kind.view(scratch, PIECE_BYTES / kind.bytes)
}

/** Fills `values` from `from` up to `to` from byte `dataOffset` of the data. @throws CorruptIndexError */
export function readPiece<V extends Values>(
  file: SegmentBlocks,
  kind: ValueKind<V>,
  dataOffset: number,
  { values, from, to }: { readonly values: V; readonly from: number; readonly to: number },
): void {
  const { buffer, byteOffset } = values
  file.read(dataOffset, new Uint8Array(buffer, byteOffset + kind.bytes * from, kind.bytes * (to - from)))
  const problem = kind.problem(values, from, to)
  if (problem !== undefined) throw new CorruptIndexError(file.path, problem)
}
