/** The second way through the file: its records become segments of vectors and links, its upper blocks upper levels. */
import { throwIfAborted, type PlannedContext } from '../../pipeline/run/build-context.js'
import type { OpenSegments } from '../../pipeline/layer/create-segments.js'
import { NO_NODE } from '../../pipeline/layer/layer.js'
import type { UpperLevels } from '../../pipeline/link-upper-levels.js'
import { InsufficientMemoryError, InvalidFileError } from '../../errors.js'
import { hnswlibSizes } from './hnswlib-header.js'
import type { EntryPoint } from '../../format/generation/manifest.js'
import { linksStrideBytes } from '../../format/segment/segment-file.js'
import { encodeUpper } from '../../format/graph/encode-upper.js'
import { isDeleted, type HnswlibFile } from './hnswlib-file.js'
import { SegmentRows } from './segment-rows.js'
import type { Survey } from './survey.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'

export interface Level0 {
  /** Links of all nodes together. */
  readonly degreeSum: number
  /** Links to a node itself, or to one it is linked to already. */
  readonly uselessLinks: number
}

/** Vectors and links by node. Links to deleted elements are left out. */
export async function writeLevel0(
  context: PlannedContext,
  file: HnswlibFile,
  { nodeOfElement }: Survey,
  segments: { vectors: OpenSegments; links: OpenSegments },
): Promise<Level0> {
  const { m, dimensions, count } = file.header
  const { dataOffset, labelOffset } = hnswlibSizes(file.header)
  const rowWords = linksStrideBytes(m) / 4
  const vectorRows = new SegmentRows(segments.vectors, 4 * dimensions)
  const linkRows = new SegmentRows(segments.links, 4 * rowWords)
  const row = new LinkRow(rowWords)
  let degreeSum = 0
  try {
    for await (const run of file.records()) {
      throwIfAborted(context)
      for (let i = 0; i < run.count; i++) {
        const record = run.record(i)
        if (isDeleted(record)) continue
        row.begin(nodeOfElement[run.first + i])
        const links = record.readUInt16LE(0)
        for (let link = 0; link < links; link++) row.add(nodeOfElement[record.readUInt32LE(4 + 4 * link)])
        linkRows.write(row.bytes)
        vectorRows.write(record.subarray(dataOffset, labelOffset))
        degreeSum += row.words[0]
      }
      context.log.progress(run.first + run.count, count, 'elements')
    }
    linkRows.finish()
    vectorRows.finish()
  } finally {
    linkRows.close()
    vectorRows.close()
  }
  return { degreeSum, uselessLinks: row.uselessLinks }
}

/** A row of links: a count, the targets, zeros. No target is there twice, and none is the node itself. */
class LinkRow {
  uselessLinks = 0
  readonly words: Uint32Array
  readonly bytes: Uint8Array
  #self = NO_NODE

  constructor(words: number) {
    this.words = new Uint32Array(words)
    this.bytes = new Uint8Array(this.words.buffer)
  }

  begin(self: number): void {
    this.#self = self
    this.words.fill(0)
  }

  add(target: number): void {
    if (target === NO_NODE) return
    const { words } = this
    if (target === this.#self || words.subarray(1, 1 + words[0]).includes(target)) {
      this.uselessLinks++
      return
    }
    words[++words[0]] = target
  }
}

/**
 * The upper levels, in memory as every build has them: about 4(m + 3)/(m − 1) bytes for each node of the index.
 * @throws InvalidFileError for a link that leads to an element which is not on the level; InsufficientMemoryError
 */
export async function readUpperLevels(
  context: PlannedContext,
  file: HnswlibFile,
  { nodeOfElement, levelCounts }: Survey,
): Promise<UpperLevels> {
  const { m, entryNode } = file.header
  checkFits(context, levelCounts, m)
  const levels = levelCounts.map((count) => ({
    nodes: new Uint32Array(count),
    down: new Uint32Array(count),
    links: new Uint32Array(count * (1 + m)),
  }))
  const filled = levels.map(() => 0)
  for await (const blocks of file.upperBlocks()) {
    throwIfAborted(context)
    for (const blocksOfElement of blocks) {
      const { element, level } = blocksOfElement
      const node = nodeOfElement[element]
      if (node === NO_NODE) continue
      for (let of = 1; of <= level; of++) {
        const { nodes, down, links } = levels[of - 1]
        const place = filled[of - 1]++
        nodes[place] = node
        down[place] = of === 1 ? node : filled[of - 2] - 1
        const block = blocksOfElement.block(of)
        const row = links.subarray(place * (1 + m), (place + 1) * (1 + m))
        row[0] = block.readUInt16LE(0)
        if (row[0] > m) {
          const reason = `element ${element} has ${row[0]} links on level ${of}, at most ${m} fit`
          throw new InvalidFileError(file.path, reason, { offset: blocksOfElement.offsetOf(of) })
        }
        for (let i = 1; i <= row[0]; i++) row[i] = block.readUInt32LE(4 * i)
      }
    }
  }
  levels.forEach((level, above) => turnIntoPlaces(file, level, above + 1, nodeOfElement))
  return { levels, bytes: encodeUpper(levels), entryPoint: entryPointOf(levels, nodeOfElement[entryNode]) }
}

/** A sound file's levels thin out; one that does not could make any amount of them. */
function checkFits({ plan }: PlannedContext, levelCounts: readonly number[], m: number): void {
  const bytes = levelCounts.reduce((sum, count) => sum + 4 * count * (3 + m), 0)
  // The arrays, and the bytes that are written of them.
  const neededBytes = 2 * bytes
  const availableBytes = Math.floor(plan.budgetBytes / 2)
  if (neededBytes <= availableBytes) return
  throw new InsufficientMemoryError({
    neededBytes,
    availableBytes,
    stage: 'upper levels',
    help: `its levels above 0 have ${levelCounts.join(', ')} nodes; give more memory`,
  })
}

/** Targets are elements; links have places in their level's arrays. */
function turnIntoPlaces(
  file: HnswlibFile,
  { nodes, links }: UpperLevel,
  level: number,
  nodeOfElement: Uint32Array,
): void {
  const rowWords = links.length / nodes.length
  for (let place = 0; place < nodes.length; place++) {
    const row = links.subarray(place * rowWords, (place + 1) * rowWords)
    let kept = 0
    for (let i = 1; i <= row[0]; i++) {
      const element = row[i]
      const target = element < nodeOfElement.length ? nodeOfElement[element] : undefined
      if (target === NO_NODE) continue
      const found = target === undefined ? -1 : placeOf(nodes, target)
      if (found < 0) {
        const reason = `an element is linked to ${element} on level ${level}, where that element is not`
        throw new InvalidFileError(file.path, reason)
      }
      if (found !== place && !row.subarray(1, 1 + kept).includes(found)) row[++kept] = found
    }
    row.fill(0, 1 + kept)
    row[0] = kept
  }
}

/** Where `node` stands in the ascending `nodes`; −1 when it does not. */
function placeOf(nodes: Uint32Array, node: number): number {
  let low = 0
  let high = nodes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (nodes[middle] < node) low = middle + 1
    else high = middle
  }
  return nodes[low] === node ? low : -1
}

/** The file's own, or, when it was deleted, the first node of the top level. */
function entryPointOf(levels: readonly UpperLevel[], node: number): EntryPoint {
  const top = levels.at(-1)
  if (top === undefined) {
    const own = node === NO_NODE ? 0 : node
    return { node: own, level: 0, index: own }
  }
  const index = node === NO_NODE ? 0 : Math.max(0, placeOf(top.nodes, node))
  return { node: top.nodes[index], level: levels.length, index }
}
