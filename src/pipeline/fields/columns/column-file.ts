import path from 'node:path'
import { PartWriter } from '../../../format/segment/part-writer.js'
import { SegmentChecksums } from '../../../format/segment/segment-checksums.js'
import { segmentFileName, type SegmentFile } from '../../../format/segment/segment-file.js'
import { fieldFileHeader, type SegmentHeader } from '../../../format/segment/segment-header.js'
import { createSegment, sealSegment } from '../../../format/segment/write-segment.js'

/** Where the files of a field go. */
export interface ColumnPlace {
  readonly generationDir: string
  /** The position of the field: the number of its files. */
  readonly field: number
  readonly count: number
  readonly dimensions: number
  /** Of each writer of a file. */
  readonly bufferBytes: number
}

/** A column or dictionary that is being written, in parts whose places are known. */
export class ColumnFile {
  readonly #path: string
  readonly #header: SegmentHeader
  readonly #checksums: SegmentChecksums
  readonly #bufferBytes: number
  readonly #writers: PartWriter[] = []

  static async create(place: ColumnPlace, kind: 'column' | 'dictionary', dataBytes: number): Promise<ColumnFile> {
    const file = new ColumnFile(place, kind, dataBytes)
    await createSegment(file.#path, file.#header)
    return file
  }

  private constructor(place: ColumnPlace, kind: 'column' | 'dictionary', dataBytes: number) {
    this.#path = path.join(place.generationDir, segmentFileName(kind, place.field))
    this.#header = fieldFileHeader(kind, { ...place, dataBytes })
    this.#checksums = new SegmentChecksums(dataBytes)
    this.#bufferBytes = place.bufferBytes
  }

  /** A writer of the part that begins at this byte of the data. */
  part(dataOffset: number): PartWriter {
    const writer = new PartWriter(this.#path, dataOffset, { bufferBytes: this.#bufferBytes })
    this.#writers.push(writer)
    return writer
  }

  /** Ends all parts, which must cover the data. */
  async seal(): Promise<SegmentFile> {
    for (const writer of this.#writers.splice(0)) this.#checksums.add(writer.finish())
    return sealSegment(this.#path, this.#header, this.#checksums)
  }

  /** Idempotent. Gives up what is not sealed. */
  close(): void {
    for (const writer of this.#writers.splice(0)) writer.close()
  }
}
