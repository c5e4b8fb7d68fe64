/**
 * The first way through the file: every number that the second relies on is checked, ids are filed, elements numbered.
 * Nothing of the index is written before all of it was found sound.
 */
import { Kernel } from '../../../kernel/kernel.js'
import { throwIfAborted, type Uses } from '../../pipeline/run/run.js'
import { IdCollector } from '../../pipeline/ingest/id-collector.js'
import { NO_NODE } from '../../pipeline/layer/layer.js'
import { dropRepeatedIds } from '../../pipeline/ingest/drop-repeated-ids.js'
import { EmptySourceError, InvalidFileError, InvalidVectorError } from '../../errors.js'
import { hnswlibSizes } from './hnswlib-header.js'
import type { Id } from '../../api/vectors.js'
import { isDeleted, type HnswlibFile, type RecordRun } from './hnswlib-file.js'
import { IdFile, labelAt } from './id-file.js'
import { whyInvalid } from '../../pipeline/ingest/why-invalid.js'
import type { IngestedFacts } from '../../pipeline/ingest/ingested.js'

export interface Survey {
  readonly ingested: IngestedFacts
  /** 4 bytes an element: its node, or NO_NODE when it was deleted. */
  readonly nodeOfElement: Uint32Array
  /** `[0]`: how many elements that were not deleted are on level 1. */
  readonly levelCounts: readonly number[]
}

/** Of a squared length that should be 1: float32 sums of thousands of components, and stores that rounded more. */
const UNIT_TOLERANCE = 1e-3

/** @throws InvalidFileError, InvalidVectorError, DuplicateIdError, EmptySourceError */
/** The parts of a run that an import's first pass may touch. */
type SurveyRun = Uses<'options' | 'queues' | 'log'>

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
      const label = labelAt(record, labelOffset)
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
    run.log.event('deleted-elements', `${elements - count} of ${elements} elements are marked as deleted: left out`)
  }
  if (textLabels > 0) {
    run.log.event('labels-as-text', `${textLabels} labels are above 2^53 - 1: their ids are the digits, as text`)
  }
  return { count, nodeOfElement, maxSquaredNorm: vectors.maxSquaredNorm }
}

/** With ids in a file beside, labels must be places: line n is for label n. */
async function idInStep(file: HnswlibFile, idFile: IdFile, label: Id, element: number): Promise<Id> {
  if (label !== element) {
    throw new InvalidFileError(
      file.path,
      `element ${element} has the label ${label}; a file of ids goes with labels 0, 1, 2, … in this order, as an export writes them`,
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

/** Norms of a run of vectors at once, in kernel memory. */
class VectorCheck {
  maxSquaredNorm = 0
  readonly #run: SurveyRun
  readonly #file: HnswlibFile
  readonly #kernel = Kernel.create()
  #capacity = 0
  #rowsAt = 0
  #normsAt = 0

  constructor(run: SurveyRun, file: HnswlibFile) {
    this.#run = run
    this.#file = file
  }

  check(records: RecordRun): void {
    const { dimensions } = this.#file.header
    const { dataOffset, labelOffset } = hnswlibSizes(this.#file.header)
    // The first run is the longest.
    if (this.#capacity === 0) {
      this.#capacity = records.count
      this.#rowsAt = this.#kernel.alloc(4 * records.count * dimensions)
      this.#normsAt = this.#kernel.alloc(8 * records.count)
    }
    const rows = this.#kernel.u8(this.#rowsAt, 4 * records.count * dimensions)
    for (let i = 0; i < records.count; i++) {
      rows.set(records.record(i).subarray(dataOffset, labelOffset), 4 * i * dimensions)
    }
    this.#kernel.fn.prepareRows(this.#rowsAt, records.count, dimensions, 0, this.#normsAt)
    const norms = this.#kernel.f64(this.#normsAt, records.count)
    for (let i = 0; i < records.count; i++)
      if (!isDeleted(records.record(i))) this.#checkNorm(norms[i], records.first + i)
  }

  #checkNorm(squared: number, element: number): void {
    const cosine = this.#run.options.metric === 'cosine'
    const reason = whyInvalid(squared, cosine)
    if (reason !== undefined) {
      const what = `${this.#file.path}: element`
      throw new InvalidVectorError({ ordinal: element, reason, invalidOption: false, what })
    }
    if (cosine && Math.abs(squared - 1) > UNIT_TOLERANCE) {
      throw new InvalidFileError(
        this.#file.path,
        `element ${element} has a vector of length ${Math.sqrt(squared).toPrecision(4)}; under cosine all have length 1: ` +
          `the file was made with another metric`,
      )
    }
    this.maxSquaredNorm = Math.max(this.maxSquaredNorm, squared)
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
      `the entry point, element ${entryNode}, is on level ${entryLevel}, and the top level is ${maxLevel}`,
    )
  }
  // Levels whose elements were all deleted are gone.
  return counts.slice(0, counts.findLastIndex((one) => one > 0) + 1)
}
