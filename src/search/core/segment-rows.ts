import { assertSafeLinks } from '../../format/graph/check-links.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import { linksStrideBytes } from '../../format/segment/segment-header.js'
import type { RowSource } from '../../rows/row-source.js'

/** Throws when rows of one segment, from `firstNode` on, must not be used. */
type RowCheck = (rows: Uint8Array, segment: SegmentBlocks, firstNode: number) => void

/** Rows of a generation's segments, which cover nodes 0 to count − 1 without overlap, in any order. */
export function segmentRows(
  segments: readonly SegmentBlocks[],
  count: number,
  strideBytes: number,
  check?: RowCheck,
): RowSource {
  const ascending = segments.toSorted((a, b) => a.header.firstNode - b.header.firstNode)
  return {
    count,
    strideBytes,
    read(first, rows, into) {
      for (let node = first; node < first + rows;) {
        const segment = ascending[segmentOf(ascending, node)]
        const { firstNode, count: held } = segment.header
        const end = Math.min(first + rows, firstNode + held)
        const piece = into.subarray((node - first) * strideBytes, (end - first) * strideBytes)
        segment.read((node - firstNode) * strideBytes, piece)
        check?.(piece, segment, node)
        node = end
      }
    },
  }
}

/**
 * Links rows, checked so that none leads out of the graph: whatever a file says, a search stays in its own memory.
 * `checks` work on the memory that rows are read into.
 */
export function linkRows(
  segments: readonly SegmentBlocks[],
  { count, m }: { readonly count: number; readonly m: number },
  { firstUnsafeRow }: SafetyChecks,
): RowSource {
  return segmentRows(segments, count, linksStrideBytes(m), (rows, { path, header }, firstNode) =>
    assertSafeLinks(rows, { path, segmentStart: header.firstNode, firstNode, m, count }, firstUnsafeRow),
  )
}

/** Index of the segment that holds a node: the last one that begins at or before it. */
export function segmentOf(ascending: readonly SegmentBlocks[], node: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle].header.firstNode <= node) low = middle + 1
    else high = middle
  }
  return low - 1
}
