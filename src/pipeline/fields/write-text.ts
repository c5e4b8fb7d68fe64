import path from 'node:path'
import { FieldRowReader } from '../../fields/field-row-reader.js'
import { eachTerm } from '../../fields/text/tokens.js'
import { TermsWriter } from '../../format/fields/terms-writer.js'
import { NO_TEXT } from '../../format/fields/text-files.js'
import { recordRuns } from '../../format/segment/record-runs.js'
import { segmentFileName, type SegmentFile } from '../../format/segment/segment-file.js'
import { SegmentReader } from '../../format/segment/segment-reader.js'
import { SegmentStream } from '../../format/segment/segment-stream.js'
import { throwIfAborted, type Uses } from '../run/run.js'
import type { FieldsWritten } from './columns/write-columns.js'
import { mergePostings } from './merge-postings.js'
import { PostingsTable } from './postings-table.js'
import { SortedRuns } from './sort/sorted-runs.js'

const LENGTHS_AT_ONCE = 2 ** 14

/** What all texts of a field have. */
interface Texts {
  readonly documents: number
  readonly tokens: number
}

/**
 * Writes the inverted index of each text field: a column of lengths, terms and postings. The bytes depend on the fields
 * alone: memory decides how many sorted runs there are, and their postings are one list in the end.
 */
export async function writeText(
  run: Uses<'options' | 'paths' | 'queues'>,
  written: FieldsWritten,
  budgetBytes: number,
): Promise<SegmentFile[]> {
  const files: SegmentFile[] = []
  for (const [field, { type }] of written.fields.entries()) {
    if (type === 'text') files.push(...(await writeTextField(run, written, field, budgetBytes)))
  }
  return files
}

async function writeTextField(
  run: Uses<'options' | 'paths' | 'queues'>,
  written: FieldsWritten,
  field: number,
  budgetBytes: number,
): Promise<SegmentFile[]> {
  const opened: SegmentStream[] = []
  const open = (kind: 'column' | 'terms' | 'postings'): SegmentStream => {
    const { count, dimensions } = written
    const file = path.join(run.paths.generationDir, segmentFileName(kind, field))
    const stream = new SegmentStream(file, { kind, firstNode: 0, count, dimensions, strideBytes: 0 })
    opened.push(stream)
    return stream
  }
  try {
    const runs = new SortedRuns(run.queues, `text-${field}`)
    const lengths = open('column')
    const texts = await invert(run, written, field, { runs, lengths, table: new PostingsTable(budgetBytes) })
    const terms = open('terms')
    const postings = open('postings')
    const writer = new TermsWriter(terms)
    await mergePostings(await runs.merge(), writer, postings, () => throwIfAborted(run))
    return [lengths.finish(), writer.finish(texts), postings.finish()]
  } finally {
    for (const stream of opened) stream.close()
  }
}

interface Inverting {
  readonly runs: SortedRuns
  readonly lengths: SegmentStream
  readonly table: PostingsTable
}

/** Reads all texts of a field once, by node. */
async function invert(
  run: Uses<'options' | 'paths'>,
  { fields, files }: FieldsWritten,
  field: number,
  { runs, lengths, table }: Inverting,
): Promise<Texts> {
  const row = new FieldRowReader(fields)
  const lengthsOfRun = new Uint32Array(LENGTHS_AT_ONCE)
  let [documents, tokens] = [0, 0]
  let node = 0
  const take = (term: Uint8Array, length: number): void => table.add(term, length, node)
  for (const file of files.toSorted((a, b) => a.firstNode - b.firstNode)) {
    const reader = await SegmentReader.open(path.join(run.paths.generationDir, file.name), file)
    try {
      for await (const rows of recordRuns(reader)) {
        throwIfAborted(run)
        for (let i = 0; i < rows.count; i++) {
          node = rows.firstNode + i
          const bytes = rows.bytesOf(i)
          row.open(bytes, 0, bytes.length)
          const length = row.has(field) ? eachTerm(bytes, row.bytesFrom(field), row.bytesTo(field), take) : NO_TEXT
          lengthsOfRun[i] = length
          if (length === NO_TEXT) continue
          documents++
          tokens += length
          if (table.isFull) await table.spill(runs)
        }
        lengths.write(new Uint8Array(lengthsOfRun.buffer, 0, 4 * rows.count))
      }
    } finally {
      await reader.close()
    }
  }
  if (!table.isEmpty) await table.spill(runs)
  return { documents, tokens }
}
