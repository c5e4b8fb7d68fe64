/**
 * The first way through the file: every number that the second relies on is checked, ids are filed, elements numbered.
 * Nothing of the index is written before all of it was found sound.
 */
import { Kernel } from '../../../kernel/kernel.js'
import { throwIfAborted, type BuildContext } from '../../pipeline/run/build-context.js'
import { IdCollector } from '../../pipeline/ingest/id-collector.js'
import { whyInvalid, type IngestedFacts } from '../../pipeline/ingest/ingest.js'
import { NO_NODE } from '../../pipeline/layer/layer.js'
import { dropRepeatedIds } from '../../pipeline/ingest/drop-repeated-ids.js'
import { EmptySourceError, InvalidFileError, InvalidVectorError } from '../../errors.js'
import { hnswlibSizes } from './hnswlib-header.js'
import type { Id } from '../../api/vectors.js'
import { isDeleted, type HnswlibFile, type RecordRun } from './hnswlib-file.js'
import { IdFile, labelAt } from './id-file.js'

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
export async function surveyFile(context: BuildContext, file: HnswlibFile, idsPath?: string): Promise<Survey> {
  const ids = new IdCollector(context)
  const idFile = idsPath === undefined ? undefined : new IdFile(idsPath)
  try {
    const level0 = await surveyRecords(context, file, ids, idFile)
    await idFile?.end()
    const levelCounts = await surveyLevels(context, file, level0.nodeOfElement)
    const { count: ordinalCount, dimensions } = file.header
    const { count, nodeOfElement, maxSquaredNorm } = level0
    if (count === 0) throw new EmptySourceError()
    const ingested = {
      dimensions,
      ordinalCount,
      count,
      skippedInvalid: ordinalCount - count,
      maxSquaredNorm,
      ids: await dropRepeatedIds(context, await ids.finish()),
    }
    return { ingested, nodeOfElement, levelCounts }
  } finally {
    await idFile?.close()
  }
}

async function surveyRecords(
  context: BuildContext,
  file: HnswlibFile,
  ids: IdCollector,
  idFile: IdFile | undefined,
): Promise<{ count: number; nodeOfElement: Uint32Array; maxSquaredNorm: number }> {
  const { count: elements } = file.header
  const { labelOffset } = hnswlibSizes(file.header)
  const nodeOfElement = new Uint32Array(elements)
  const vectors = new VectorCheck(context, file)
  let count = 0
  let textLabels = 0
  for await (const run of file.records()) {
    throwIfAborted(context)
    for (let i = 0; i < run.count; i++) {
      const element = run.first + i
      const record = run.record(i)
      checkLinks(file, record, run.offsetOf(i), element)
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
    vectors.check(run)
    context.log.progress(run.first + run.count, elements, 'elements')
  }
  if (count < elements) {
    context.log.event('deleted-elements', `${elements - count} of ${elements} elements are marked as deleted: left out`)
  }
  if (textLabels > 0) {
    context.log.event('labels-as-text', `${textLabels} labels are above 2^53 - 1: their ids are the digits, as text`)
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
  readonly #context: BuildContext
  readonly #file: HnswlibFile
  readonly #kernel = Kernel.create()
  #capacity = 0
  #rowsAt = 0
  #normsAt = 0

  constructor(context: BuildContext, file: HnswlibFile) {
    this.#context = context
    this.#file = file
  }

  check(run: RecordRun): void {
    const { dimensions } = this.#file.header
    const { dataOffset, labelOffset } = hnswlibSizes(this.#file.header)
    // The first run is the longest.
    if (this.#capacity === 0) {
      this.#capacity = run.count
      this.#rowsAt = this.#kernel.alloc(4 * run.count * dimensions)
      this.#normsAt = this.#kernel.alloc(8 * run.count)
    }
    const rows = this.#kernel.u8(this.#rowsAt, 4 * run.count * dimensions)
    for (let i = 0; i < run.count; i++) {
      rows.set(run.record(i).subarray(dataOffset, labelOffset), 4 * i * dimensions)
    }
    this.#kernel.fn.prepareRows(this.#rowsAt, run.count, dimensions, 0, this.#normsAt)
    const norms = this.#kernel.f64(this.#normsAt, run.count)
    for (let i = 0; i < run.count; i++) if (!isDeleted(run.record(i))) this.#checkNorm(norms[i], run.first + i)
  }

  #checkNorm(squared: number, element: number): void {
    const cosine = this.#context.options.metric === 'cosine'
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

async function surveyLevels(
  context: BuildContext,
  file: HnswlibFile,
  nodeOfElement: Uint32Array,
): Promise<readonly number[]> {
  const { maxLevel, entryNode, count } = file.header
  const counts = new Array<number>(Math.max(0, maxLevel)).fill(0)
  let entryLevel = maxLevel
  for await (const blocks of file.upperBlocks()) {
    throwIfAborted(context)
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
