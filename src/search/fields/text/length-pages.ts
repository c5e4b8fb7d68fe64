import { CorruptIndexError } from '../../../errors.js'
import type { FieldData } from '../../../format/fields/field-data.js'
import { WINDOW_NODES } from './text-part.js'

/** Most pages in memory: of 16 KiB each, 32 MiB for 8 million nodes. */
const MOST_PAGES = 2048

/** Lengths of texts by node, page by page, from their file. The pages that were read last are held. */
export class LengthPages {
  readonly #data: FieldData
  readonly #count: number
  /** By page, the one that was read first is first. */
  readonly #pages = new Map<number, Uint32Array<ArrayBuffer>>()

  /** `count`: nodes. @throws CorruptIndexError when the file has not a length for each */
  constructor(data: FieldData, count: number) {
    const { dataBytes } = data.header
    if (dataBytes !== 4 * count) {
      throw new CorruptIndexError(data.path, `${dataBytes} bytes of data are not the lengths of ${count} texts`)
    }
    this.#data = data
    this.#count = count
  }

  page(number: number): Uint32Array {
    const held = this.#pages.get(number)
    if (held !== undefined) return held
    const first = number * WINDOW_NODES
    const page = this.#room()
    const nodes = Math.min(WINDOW_NODES, this.#count - first)
    this.#data.read(4 * first, new Uint8Array(page.buffer, 0, 4 * nodes))
    this.#pages.set(number, page)
    return page
  }

  /** A new page, or that which was read first. */
  #room(): Uint32Array<ArrayBuffer> {
    if (this.#pages.size < MOST_PAGES) return new Uint32Array(WINDOW_NODES)
    const [[number, page]] = this.#pages
    this.#pages.delete(number)
    return page
  }
}
