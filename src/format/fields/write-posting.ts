import { MAX_VARINT_BYTES, writeVarint } from './varint.js'

export const MAX_POSTING_BYTES = 2 * MAX_VARINT_BYTES

/**
 * Writes one posting: how far its node is from the one before, which is −1 before the first one, and how often the term is
 * there. Returns where it ends.
 */
export function writePosting(into: Uint8Array, at: number, gap: number, times: number): number {
  if (times === 1) return writeVarint(into, at, 2 * gap + 1)
  return writeVarint(into, writeVarint(into, at, 2 * gap), times)
}
