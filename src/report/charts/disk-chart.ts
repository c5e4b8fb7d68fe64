import { rollup, sum } from 'd3-array'
import type { SegmentFile } from '../../format/segment/segment-file.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { barsChart } from './bars-chart.js'
import type { Html } from '../draw/html.js'
import { plural } from '../number-text.js'

export interface DiskPart {
  readonly kind: string
  readonly files: number
  readonly bytes: number
}

/** Files and bytes of each kind, largest first. */
export function diskParts(segments: readonly SegmentFile[]): DiskPart[] {
  const parts = rollup(
    segments,
    (files) => ({ files: files.length, bytes: sum(files, ({ bytes }) => bytes) }),
    ({ kind }) => kind,
  )
  return Array.from(parts, ([kind, sizes]) => ({ kind, ...sizes })).sort((a, b) => b.bytes - a.bytes)
}

const MEANINGS: Readonly<Record<string, string>> = {
  vectors: 'the vectors, as float32',
  codes: 'the quantized vectors',
  codebook: 'the parameters of the quantization',
  links: 'the links of level 0',
  upper: 'the levels above 0',
  ids: 'the ids',
  'id-table': 'leads from an id to its vector',
  fields: 'the fields of each vector',
  column: 'the values of each field, for filters',
  dictionary: 'the different keywords',
  terms: 'the different words of texts',
  postings: 'leads from a word to its vectors',
}

export function diskChart(segments: readonly SegmentFile[], count: number): Html {
  const parts = diskParts(segments)
  const total = sum(parts, ({ bytes }) => bytes)
  const each = formatByteSize(Math.round(total / Math.max(1, count)))
  return barsChart({
    id: 'disk',
    title: 'On disk',
    caption: `${formatByteSize(total)} in ${plural(segments.length, 'file')}: ${each} per vector.`,
    label: `Bars of the bytes of each part of the index, ${formatByteSize(total)} in total.`,
    bars: parts.map(({ kind, bytes }) => ({ name: kind, value: bytes, text: formatByteSize(bytes) })),
    data: {
      name: 'Parts of the index on disk',
      head: ['Part', 'What it is', 'Files', 'Bytes', 'Share'],
      rows: parts.map(({ kind, files, bytes }) => [
        kind,
        MEANINGS[kind] ?? '',
        String(files),
        formatByteSize(bytes),
        `${((100 * bytes) / Math.max(1, total)).toFixed(1)}%`,
      ]),
      text: [1],
    },
  })
}
