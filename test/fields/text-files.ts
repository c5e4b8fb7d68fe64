import { readFileSync } from 'node:fs'
import path from 'node:path'
import { FieldCodec } from '../../src/fields/field-codec.js'
import type { Field } from '../../src/fields/field.js'
import type { FieldData } from '../../src/format/fields/field-data.js'
import type { Manifest } from '../../src/format/generation/manifest.js'
import { SegmentBlocks } from '../../src/format/segment/segment-blocks.js'
import { SEGMENT_HEADER_BYTES, fieldsHeader } from '../../src/format/segment/segment-header.js'
import { segmentFileName, type SegmentFile } from '../../src/format/segment/segment-file.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import { writeText } from '../../src/pipeline/fields/write-text.js'
import type { Run } from '../../src/pipeline/run/run.js'
import { TextIndex } from '../../src/search/fields/text/text-index.js'
import { makeRun } from '../fixtures/tasks.js'
import type { Texts } from './bm25-twin.js'

const DIMENSIONS = 4
/** Nodes of a segment of fields: several, so that texts come from several files. */
const SEGMENT_NODES = 150

export const FIELDS: readonly Field[] = [
  { name: 'title', type: 'text' },
  { name: 'year', type: 'number' },
  { name: 'body', type: 'text' },
]
export const TITLE = 0
export const BODY = 2

export interface TextsWritten {
  readonly run: Run
  readonly count: number
  readonly files: readonly SegmentFile[]
}

/** Writes fields and their texts as a build does. */
export async function writeTexts(
  titles: Texts,
  bodies: Texts,
  { budgetBytes = 2 ** 20, limitBytes = 1e9, segmentNodes = SEGMENT_NODES } = {},
): Promise<TextsWritten> {
  const run = makeRun({}, { limitBytes })
  const count = titles.length
  const codec = new FieldCodec(FIELDS)
  const files: SegmentFile[] = []
  for (let first = 0; first < count; first += segmentNodes) {
    const records = titles
      .slice(first, first + segmentNodes)
      .map((title, i) => ({ title, year: i, body: bodies[first + i] }))
    const { offsets, bytes } = codec.encodeRecords(records, first)
    const data = Buffer.concat([new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), bytes])
    const shape = { firstNode: first, count: records.length, dimensions: DIMENSIONS, dataBytes: data.length }
    const file = path.join(run.paths.generationDir, segmentFileName('fields', files.length))
    files.push(await writeSegment(file, fieldsHeader(shape), data))
  }
  const written = { fields: FIELDS, count, dimensions: DIMENSIONS, files }
  return { run, count, files: await writeText(run, written, budgetBytes) }
}

/** The bytes of all files, by name. */
export function bytesOf({ run, files }: TextsWritten): Map<string, Buffer> {
  return new Map(files.map(({ name }) => [name, readFileSync(path.join(run.paths.generationDir, name))]))
}

type Kind = 'terms' | 'postings' | 'column'

/** A file as a search opens it. */
export function openFile({ run, files }: TextsWritten, kind: Kind, field: number): SegmentBlocks {
  const name = segmentFileName(kind, field)
  const file = files.find((one) => one.name === name)
  if (file === undefined) throw new Error(`no ${name}`)
  const manifest = { dimensions: DIMENSIONS, m: 16, quantization: 'f32' } as Manifest
  return SegmentBlocks.open(path.join(run.paths.generationDir, name), file, manifest)
}

export function openText(written: TextsWritten, field: number): TextIndex {
  const [terms, postings, lengths] = (['terms', 'postings', 'column'] as const).map((kind) =>
    openFile(written, kind, field),
  )
  return new TextIndex({ terms, postings, lengths }, written.count)
}

/** The data of a file, which a test may change; without checksums. */
export function dataOf(written: TextsWritten, kind: Kind, field: number): Uint8Array {
  const { header } = openFile(written, kind, field)
  const bytes = readFileSync(path.join(written.run.paths.generationDir, segmentFileName(kind, field)))
  return new Uint8Array(bytes).slice(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + header.dataBytes)
}

/** Data in memory that is read as a file is. Reads beyond its end are a fault of the reader. */
export function fieldData(name: string, bytes: Uint8Array): FieldData {
  return {
    path: name,
    header: { dataBytes: bytes.length },
    read: (offset, into) => {
      if (!(offset >= 0 && offset + into.length <= bytes.length)) {
        throw new Error(`${name}: read from ${offset} to ${offset + into.length} of ${bytes.length}`)
      }
      into.set(bytes.subarray(offset, offset + into.length))
    },
  }
}
