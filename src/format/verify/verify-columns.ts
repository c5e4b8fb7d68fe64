/** Verifies columns and dictionaries: they must follow from the rows of fields. */
import type { Field } from '../../fields/field.js'
import { FieldRowReader } from '../../fields/field-row-reader.js'
import { hasDictionary, hasValueColumn } from '../fields/column-layout.js'
import { recordRuns } from '../segment/record-runs.js'
import { SegmentBlocks } from '../segment/segment-blocks.js'
import { segmentFileName } from '../segment/segment-file.js'
import { SegmentReader } from '../segment/segment-reader.js'
import { columnCheckOf, type ColumnCheck } from './column-check.js'
import { DictionaryCheck } from './dictionary-check.js'
import type { VerifyFindings } from './verify-report.js'
import type { SegmentCheck } from './verify-segment.js'

interface OpenCheck {
  readonly name: string
  readonly blocks: SegmentBlocks
  readonly dictionaryBlocks: SegmentBlocks | undefined
  readonly check: ColumnCheck
  readonly dictionary: DictionaryCheck | undefined
  /** False: what follows would be problems because of a problem. */
  goesOn: boolean
}

/**
 * Adds each row whose value in a column is another one, and what is wrong with zone maps and dictionaries. The bytes of
 * all files are verified, and all rows can be read. `sound`: the files of fields without damage, by name.
 */
export async function verifyColumns(
  fields: readonly Field[],
  rows: readonly SegmentCheck[],
  sound: ReadonlyMap<string, SegmentCheck>,
  findings: VerifyFindings,
): Promise<void> {
  const checks: OpenCheck[] = []
  try {
    for (const [position, field] of fields.entries()) openCheck(field, position, sound, checks, findings)
    if (checks.length === 0) return
    await compareRows(fields, rows, checks, findings)
    for (const one of checks) finish(one, findings)
  } finally {
    for (const { blocks, dictionaryBlocks } of checks) {
      blocks.close()
      dictionaryBlocks?.close()
    }
  }
}

function openCheck(
  field: Field,
  position: number,
  sound: ReadonlyMap<string, SegmentCheck>,
  checks: OpenCheck[],
  findings: VerifyFindings,
): void {
  if (!hasValueColumn(field.type)) return
  const column = sound.get(segmentFileName('column', position))
  const keywords = hasDictionary(field.type) ? sound.get(segmentFileName('dictionary', position)) : undefined
  // What is damaged is reported already.
  if (column === undefined || (hasDictionary(field.type) && keywords === undefined)) return
  const blocks = open(column)
  const dictionaryBlocks = keywords && open(keywords)
  try {
    const dictionary = dictionaryBlocks && new DictionaryCheck(dictionaryBlocks)
    const check = columnCheckOf(field, position, blocks, dictionary)
    if (check === undefined) throw new TypeError(`no check for a column of type ${field.type}`)
    checks.push({ name: field.name, blocks, dictionaryBlocks, check, dictionary, goesOn: true })
  } catch (error) {
    blocks.close()
    dictionaryBlocks?.close()
    findings.addError(error)
  }
}

async function compareRows(
  fields: readonly Field[],
  rows: readonly SegmentCheck[],
  checks: readonly OpenCheck[],
  findings: VerifyFindings,
): Promise<void> {
  const row = new FieldRowReader(fields)
  for (const { path, file } of rows) {
    const reader = await SegmentReader.open(path, file)
    try {
      for await (const { firstNode, count, bytes, offsets } of recordRuns(reader)) {
        for (let i = 0; i < count; i++) {
          row.open(bytes, offsets[i], offsets[i + 1])
          for (const one of checks) if (one.goesOn) compareRow(one, row, firstNode + i, findings)
        }
      }
    } finally {
      await reader.close()
    }
  }
}

function compareRow(one: OpenCheck, row: FieldRowReader, node: number, findings: VerifyFindings): void {
  try {
    const reason = one.check.next(row)
    if (reason === undefined) return
    findings.add({ path: one.blocks.path, reason: `node ${node} ${reason}` })
  } catch (error) {
    one.goesOn = false
    findings.addError(error)
  }
}

function finish(one: OpenCheck, findings: VerifyFindings): void {
  if (!one.goesOn) return
  try {
    const reason = one.check.end()
    if (reason !== undefined) findings.add({ path: one.blocks.path, reason })
    one.dictionary?.finish(findings)
  } catch (error) {
    findings.addError(error)
  }
}

function open({ path, file, manifest }: SegmentCheck): SegmentBlocks {
  return SegmentBlocks.open(path, file, manifest)
}
