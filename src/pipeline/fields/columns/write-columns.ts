import path from 'node:path'
import type { FieldType } from '../../../api/fields.js'
import type { Field } from '../../../fields/field.js'
import { FieldRowReader } from '../../../fields/field-row-reader.js'
import { hasDictionary } from '../../../format/fields/column-layout.js'
import { recordRuns } from '../../../format/segment/record-runs.js'
import type { SegmentFile } from '../../../format/segment/segment-file.js'
import { SegmentReader } from '../../../format/segment/segment-reader.js'
import { throwIfAborted, type Uses } from '../../run/run.js'
import type { ColumnPlace } from './column-file.js'
import type { ColumnWriter } from './column-writer.js'
import { BooleanColumn, NumberColumn } from './fixed-column.js'
import { KeywordColumn, KeywordListColumn } from './keyword-column.js'
import { NumberListColumn } from './number-list-column.js'

/** The rows of fields of a generation, in their files. */
export interface FieldsWritten {
  readonly fields: readonly Field[]
  readonly count: number
  readonly dimensions: number
  /** Segments of fields, by node. */
  readonly files: readonly SegmentFile[]
}

const MOST_BUFFER_BYTES = 256 * 1024
const LEAST_BUFFER_BYTES = 16 * 1024
/** The part of the memory for writers of files; the other one is for tables of keywords. */
const BUFFERS_SHARE = 1 / 4
/** Writers of files that a field has at once. */
const WRITERS_PER_FIELD = 2

/**
 * Writes the columns of all fields, and the dictionaries of keywords, in one pass over the rows of fields. The bytes do
 * not depend on the memory.
 */
export async function writeColumns(
  run: Uses<'options' | 'paths' | 'queues'>,
  written: FieldsWritten,
  budgetBytes: number,
): Promise<SegmentFile[]> {
  const writers: ColumnWriter[] = []
  try {
    await openWriters(run, written, budgetBytes, writers)
    await passRows(run, written, writers)
    const files: SegmentFile[] = []
    for (const writer of writers) {
      throwIfAborted(run)
      files.push(...(await writer.finish()))
    }
    // All columns, then all dictionaries: the order of the manifest.
    return files.sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0))
  } finally {
    for (const writer of writers) writer.close()
  }
}

async function openWriters(
  { paths, queues }: Uses<'paths' | 'queues'>,
  { fields, count, dimensions }: FieldsWritten,
  budgetBytes: number,
  writers: ColumnWriter[],
): Promise<void> {
  const share = (BUFFERS_SHARE * budgetBytes) / (WRITERS_PER_FIELD * fields.length)
  const bufferBytes = Math.floor(Math.min(MOST_BUFFER_BYTES, Math.max(LEAST_BUFFER_BYTES, share)))
  const tables = fields.filter(({ type }) => hasDictionary(type)).length
  const tableBytes = ((1 - BUFFERS_SHARE) * budgetBytes) / Math.max(1, tables)
  for (const [field, { name, type }] of fields.entries()) {
    const place = { generationDir: paths.generationDir, field, count, dimensions, bufferBytes }
    const writer = await openWriter(type, { name, place, queues, tableBytes })
    if (writer !== undefined) writers.push(writer)
  }
}

/** Undefined for a type without a column of values. */
async function openWriter(
  type: FieldType,
  { name, place, queues, tableBytes }: { name: string; place: ColumnPlace; tableBytes: number } & Uses<'queues'>,
): Promise<ColumnWriter | undefined> {
  switch (type) {
    case 'keyword':
      return new KeywordColumn(queues, place, tableBytes)
    case 'keyword[]':
      return new KeywordListColumn(queues, place, name, tableBytes)
    case 'number[]':
      return new NumberListColumn(queues, place, name)
    case 'boolean':
      return BooleanColumn.create(place)
    case 'number':
    case 'date':
    case 'geo':
      return NumberColumn.create(place, type)
    case 'text':
    case 'stored':
      return undefined
  }
}

async function passRows(
  run: Uses<'options' | 'paths'>,
  { fields, files }: FieldsWritten,
  writers: readonly ColumnWriter[],
): Promise<void> {
  const row = new FieldRowReader(fields)
  for (const file of files) {
    const reader = await SegmentReader.open(path.join(run.paths.generationDir, file.name), file)
    try {
      for await (const { bytes, offsets, count } of recordRuns(reader)) {
        throwIfAborted(run)
        for (let i = 0; i < count; i++) {
          row.open(bytes, offsets[i], offsets[i + 1])
          for (const writer of writers) {
            const pushed = writer.add(row)
            if (pushed !== undefined) await pushed
          }
        }
      }
    } finally {
      await reader.close()
    }
  }
}
