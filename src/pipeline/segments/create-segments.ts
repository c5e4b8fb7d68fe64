import path from 'node:path'
import { createSegment, sealSegment } from '../../format/segment/write-segment.js'
import { SegmentChecksums } from '../../format/segment/segment-checksums.js'
import { segmentFileName, type SegmentFile } from '../../format/segment/segment-file.js'
import type { CodeQuantization } from '../../format/graph/quantized-shape.js'
import { codesHeader, linksHeader, vectorsHeader, type SegmentHeader } from '../../format/segment/segment-header.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { SegmentLayout } from '../layer/segment-layout.js'
import type { Uses } from '../run/run.js'

/** All segments of one kind while workers fill them, and their checksums as parts arrive. */
export interface OpenSegments {
  readonly paths: readonly string[]
  readonly files: readonly RowFile[]
  readonly checksums: readonly SegmentChecksums[]
  seal(): Promise<SegmentFile[]>
}

export interface SegmentOptions {
  readonly dimensions: number
  /** For codes only. */
  readonly quantization?: CodeQuantization
  /** Keep what an interrupted build wrote to the files. */
  readonly keepData?: boolean
}

/** Creates the files of one kind, one per range of `layout`. */
export async function createSegments(
  { paths: { generationDir }, options: { m } }: Uses<'paths' | 'options'>,
  kind: 'vectors' | 'links' | 'codes',
  layout: SegmentLayout,
  { keepData = false, ...shape }: SegmentOptions,
): Promise<OpenSegments> {
  const headers: SegmentHeader[] = []
  const paths: string[] = []
  for (let segment = 0; segment + 1 < layout.starts.length; segment++) {
    const firstNode = layout.starts[segment]
    const range = { ...shape, m, firstNode, count: layout.starts[segment + 1] - firstNode }
    const header = headerOf(kind, range)
    const file = path.join(generationDir, segmentFileName(kind, segment))
    await createSegment(file, header, { keepData })
    headers.push(header)
    paths.push(file)
  }
  const checksums = headers.map((header) => new SegmentChecksums(header.dataBytes))
  return {
    paths,
    files: headers.map(({ firstNode, count }, i) => ({ path: paths[i], firstNode, count })),
    checksums,
    seal: async () => {
      const files: SegmentFile[] = []
      for (const [i, header] of headers.entries()) files.push(await sealSegment(paths[i], header, checksums[i]))
      return files
    },
  }
}

function headerOf(
  kind: 'vectors' | 'links' | 'codes',
  range: { firstNode: number; count: number; dimensions: number; m: number; quantization?: CodeQuantization },
): SegmentHeader {
  if (kind === 'vectors') return vectorsHeader(range)
  if (kind === 'links') return linksHeader(range)
  const { quantization } = range
  if (quantization === undefined) throw new RangeError('codes of no quantization')
  return codesHeader({ ...range, quantization })
}
