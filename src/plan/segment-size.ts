const MIB = 2 ** 20
/** Largest segment: bounded so that the rows of one merge task fit any budget worth planning for. */
export const SEGMENT_MAX_NODES = 65_536
const SEGMENT_MAX_BYTES = 64 * MIB
const SEGMENT_MIN_BYTES = 4 * MIB

/** Vector bytes that a segment aims at: about 16 segments for small builds, 64 MiB at most. */
export function segmentAimBytes(count: number, dimensions: number): number {
  return Math.max(SEGMENT_MIN_BYTES, Math.min(SEGMENT_MAX_BYTES, Math.ceil((count * dimensions * 4) / 16)))
}
