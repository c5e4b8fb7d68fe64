import { itemsAt, listColumnBytes, type ListType } from '../../../format/fields/column-layout.js'
import type { PartWriter } from '../../../format/segment/part-writer.js'
import type { SegmentFile } from '../../../format/segment/segment-file.js'
import { ColumnFile, type ColumnPlace } from './column-file.js'
import { HeldOffsets } from './held-offsets.js'

/** A column of lists whose number of items is known: offsets and items, side by side. */
export class ListItems {
  readonly #file: ColumnFile
  readonly #offsets: HeldOffsets
  readonly #items: PartWriter
  #end = 0

  static async create(place: ColumnPlace, type: ListType, items: number): Promise<ListItems> {
    return new ListItems(
      await ColumnFile.create(place, 'column', listColumnBytes(type, place.count, items)),
      place.count,
    )
  }

  private constructor(file: ColumnFile, count: number) {
    this.#file = file
    this.#offsets = new HeldOffsets(file.part(0), Uint32Array)
    this.#offsets.add(0)
    this.#items = file.part(itemsAt(count))
  }

  /** The items of the next row, from `from` up to `to`: copied. */
  add(items: Uint32Array | Float64Array, from: number, to: number): void {
    const { buffer, byteOffset, BYTES_PER_ELEMENT: size } = items
    if (to > from) this.#items.write(new Uint8Array(buffer, byteOffset + size * from, size * (to - from)))
    this.#end += to - from
    this.#offsets.add(this.#end)
  }

  async seal(): Promise<SegmentFile> {
    this.#offsets.flush()
    return this.#file.seal()
  }

  close(): void {
    this.#file.close()
  }
}
