import { throwIfAborted, type Uses } from '../../pipeline/run/run.js'
import type { OpenSegments } from '../../pipeline/segments/create-segments.js'
import { NO_NODE } from '../../pipeline/layer/layer.js'
import { hnswlibSizes } from './hnswlib-header.js'
import { linksStrideBytes } from '../../format/segment/segment-header.js'
import { isDeleted, type HnswlibFile } from './hnswlib-file.js'
import { SegmentFiller } from './segment-filler.js'
import type { Survey } from './survey.js'

export interface Level0 {
  /** Sum of the links of all nodes. */
  readonly degreeSum: number
  /** Links that were left out: to the node itself, or repeated. */
  readonly uselessLinks: number
}

/** Writes the records of the file as segments of vectors and links. Links to deleted elements are left out. */
export async function writeLevel0(
  run: Uses<'options' | 'log'>,
  file: HnswlibFile,
  { nodeOfElement }: Survey,
  segments: { vectors: OpenSegments; links: OpenSegments },
): Promise<Level0> {
  const { m, dimensions, count } = file.header
  const { dataOffset, labelOffset } = hnswlibSizes(file.header)
  const rowWords = linksStrideBytes(m) / 4
  const vectorRows = new SegmentFiller(segments.vectors, 4 * dimensions)
  const linkRows = new SegmentFiller(segments.links, 4 * rowWords)
  const row = new LinkRow(rowWords)
  let degreeSum = 0
  try {
    for await (const records of file.records()) {
      throwIfAborted(run)
      for (let i = 0; i < records.count; i++) {
        const record = records.record(i)
        if (isDeleted(record)) continue
        row.begin(nodeOfElement[records.first + i])
        const links = record.readUInt16LE(0)
        for (let link = 0; link < links; link++) row.add(nodeOfElement[record.readUInt32LE(4 + 4 * link)])
        linkRows.write(row.bytes)
        vectorRows.write(record.subarray(dataOffset, labelOffset))
        degreeSum += row.words[0]
      }
      run.log.progress(records.first + records.count, count, 'elements')
    }
    linkRows.finish()
    vectorRows.finish()
  } finally {
    linkRows.close()
    vectorRows.close()
  }
  return { degreeSum, uselessLinks: row.uselessLinks }
}

/** A row of links: a count, the targets, zeros. No target repeats, and none is the node itself. */
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
