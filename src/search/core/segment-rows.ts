/** Rows of vectors or links out of a generation's segments, wherever they lie in them. */
import { assertSafeLinks } from '../../format/graph/check-links.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'
import type { QuantizedShape } from '../../format/graph/quantized-shape.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import { linksStrideBytes } from '../../format/segment/segment-file.js'
import type { RowSource } from '../../rows/row-source.js'

/** Throws when rows of one segment, from `firstNode` on, must not be used. */
type RowCheck = (rows: Uint8Array, segment: SegmentBlocks, firstNode: number) => void

export function vectorRows(segments: readonly SegmentBlocks[], count: number, dims: number): RowSource {
  return segmentRows(segments, count, 4 * dims)
}

export function codeRows(
  segments: readonly SegmentBlocks[],
  count: number,
  { strideBytes }: QuantizedShape,
): RowSource {
  return segmentRows(segments, count, strideBytes)
}

/**
 * No row of these leads out of the graph: whatever a file says, a search stays in its own memory. `checks` work on the
 * memory that rows are read into.
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

/** `segments` cover nodes 0 to count − 1 without overlap, in any order. */
function segmentRows(
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
        const segment = holding(ascending, node)
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

/** The segment of a node: the last one that does not begin behind it. */
export function holding(ascending: readonly SegmentBlocks[], node: number): SegmentBlocks {
  return ascending[indexHolding(ascending, node)]
}

export function indexHolding(ascending: readonly SegmentBlocks[], node: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle].header.firstNode <= node) low = middle + 1
    else high = middle
  }
  return low - 1
}
