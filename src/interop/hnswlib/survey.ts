import { throwIfAborted, type Uses } from '../../pipeline/run/run.js'
import { IdCollector } from '../../pipeline/ingest/id-collector.js'
import type { IngestedFacts } from '../../pipeline/ingest/ingested.js'
import { NO_NODE } from '../../pipeline/layer/layer.js'
import { dropRepeatedIds } from '../../pipeline/ingest/drop-repeated-ids.js'
import { EmptySourceError, InvalidFileError } from '../../errors.js'
import { hnswlibSizes } from './hnswlib-header.js'
import type { Id } from '../../api/vectors.js'
import { isDeleted, type HnswlibFile } from './hnswlib-file.js'
import { readLabel } from '../labels.js'
import { IdFile } from './id-file.js'
import { VectorCheck } from './vector-check.js'

/** The parts of a run that the first pass over a file may touch. */
export type SurveyRun = Uses<'options' | 'queues' | 'log'>

/** What the first pass over the file found. */
export interface Survey {
  readonly ingested: IngestedFacts
  /** By element: its node, or NO_NODE when it is deleted. */
  readonly nodeOfElement: Uint32Array
  /** `[0]`: the number of elements on level 1 that are not deleted. */
  readonly levelCounts: readonly number[]
}

/**
 * The first pass over the file: checks every number that the second pass relies on, collects the ids and gives elements
 * their nodes. No vectors or links are written before the whole file is found sound.
 * @throws InvalidFileError, InvalidVectorError, DuplicateIdError, EmptySourceError
 */
export async function surveyFile(run: SurveyRun, file: HnswlibFile, idsPath?: string): Promise<Survey> {
  const ids = new IdCollector(run)
  const idFile = idsPath === undefined ? undefined : new IdFile(idsPath)
  try {
    const level0 = await surveyRecords(run, file, ids, idFile)
    await idFile?.end()
    const levelCounts = await surveyLevels(run, file, level0.nodeOfElement)
    const { count: ordinalCount, dimensions } = file.header
    const { count, nodeOfElement, maxSquaredNorm } = level0
    if (count === 0) throw new EmptySourceError()
    const ingested = {
      dimensions,
      ordinalCount,
      count,
      skippedInvalid: ordinalCount - count,
      maxSquaredNorm,
      ids: await dropRepeatedIds(run, await ids.finish()),
    }
    return { ingested, nodeOfElement, levelCounts }
  } finally {
    await idFile?.close()
  }
}

async function surveyRecords(
  run: SurveyRun,
  file: HnswlibFile,
  ids: IdCollector,
  idFile: IdFile | undefined,
): Promise<{ count: number; nodeOfElement: Uint32Array; maxSquaredNorm: number }> {
  const { count: elements } = file.header
  const { labelOffset } = hnswlibSizes(file.header)
  const nodeOfElement = new Uint32Array(elements)
  const vectors = new VectorCheck(run, file)
  let count = 0
  let textLabels = 0
  for await (const records of file.records()) {
    throwIfAborted(run)
    for (let i = 0; i < records.count; i++) {
      const element = records.first + i
      const record = records.record(i)
      checkLinks(file, record, records.offsetOf(i), element)
      const label = readLabel(record, labelOffset)
      const id = idFile === undefined ? label : await idInStep(file, idFile, label, element)
      if (isDeleted(record)) {
        nodeOfElement[element] = NO_NODE
        continue
      }
      nodeOfElement[element] = count++
      if (idFile === undefined && typeof label === 'string') textLabels++
      const pushed = ids.add(id, element)
      if (pushed !== undefined) await pushed
    }
    vectors.check(records)
    run.log.progress(records.first + records.count, elements, 'elements')
  }
  if (count < elements) {
    run.log.event(
      'deleted-elements',
      `${elements - count} of ${elements} elements are marked as deleted and were left out`,
    )
  }
  if (textLabels > 0) {
    run.log.event('labels-as-text', `${textLabels} labels are above 2^53 - 1; their ids are the digits as text`)
  }
  return { count, nodeOfElement, maxSquaredNorm: vectors.maxSquaredNorm }
}

/** With a file of ids, the label of element n must be n: line n has its id. */
async function idInStep(file: HnswlibFile, idFile: IdFile, label: Id, element: number): Promise<Id> {
  if (label !== element) {
    throw new InvalidFileError(
      file.path,
      `element ${element} has the label ${label}; ` +
        `with a file of ids, labels must be 0, 1, 2, … in this order, as an export writes them`,
    )
  }
  return idFile.next()
}

function checkLinks(file: HnswlibFile, record: Buffer, offset: number, element: number): void {
  const { m, count: elements } = file.header
  const links = record.readUInt16LE(0)
  if (links > 2 * m) {
    throw new InvalidFileError(file.path, `element ${element} has ${links} links, at most ${2 * m} fit`, { offset })
  }
  for (let i = 0; i < links; i++) {
    const target = record.readUInt32LE(4 + 4 * i)
    if (target < elements) continue
    const reason = `element ${element} is linked to ${target}, of ${elements} elements`
    throw new InvalidFileError(file.path, reason, { offset: offset + 4 + 4 * i })
  }
}

async function surveyLevels(run: SurveyRun, file: HnswlibFile, nodeOfElement: Uint32Array): Promise<readonly number[]> {
  const { maxLevel, entryNode, count } = file.header
  const counts = new Array<number>(Math.max(0, maxLevel)).fill(0)
  let entryLevel = maxLevel
  for await (const blocks of file.upperBlocks()) {
    throwIfAborted(run)
    for (const { element, level } of blocks) {
      if (element === entryNode) entryLevel = level
      if (nodeOfElement[element] === NO_NODE) continue
      for (let of = 1; of <= level; of++) counts[of - 1]++
    }
  }
  if (count > 0 && entryLevel !== maxLevel) {
    throw new InvalidFileError(
      file.path,
      `the entry point, element ${entryNode}, is on level ${entryLevel}, but the top level is ${maxLevel}`,
    )
  }
  // Drops the top levels whose elements are all deleted.
  return counts.slice(0, counts.findLastIndex((one) => one > 0) + 1)
}
