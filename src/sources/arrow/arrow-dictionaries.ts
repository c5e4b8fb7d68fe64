/** The dictionary of the column of ids: which messages have it for each record batch, and its values. */
import { InvalidFileError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { ArrowBuffers } from './arrow-buffers.js'
import type { ArrowColumn } from './arrow-columns.js'
import { dictionaryValues } from './arrow-ids.js'
import { messageAt, type ArrowMessage } from './arrow-message.js'

export class ArrowDictionaries {
  readonly #column: ArrowColumn | undefined
  /** Offsets of the dictionary and of what was added to it, as of the last message. */
  #current: readonly number[] = []
  readonly #ofBatch: (readonly number[])[] = []
  #loaded: readonly number[] | undefined
  #values: readonly Id[] = []

  constructor(column: ArrowColumn | undefined) {
    this.#column = column
  }

  /** Notes a dictionary, which replaces the one before or adds to it. @throws InvalidFileError when it is damaged */
  meet({ header, at }: ArrowMessage, path: string): void {
    const shape = this.#column?.shape
    if (shape?.kind !== 'dictionary') return
    try {
      if (header.int64(0) === shape.id) this.#current = header.byte(2, 0) === 1 ? [...this.#current, at] : [at]
    } catch (cause) {
      throw new InvalidFileError(path, 'the metadata of an Arrow dictionary is damaged', { offset: at, cause })
    }
  }

  /** Notes that the next record batch has the dictionaries met so far. */
  endBatch(): void {
    this.#ofBatch.push(this.#current)
  }

  /** The values for the record batch number `batch`; none for a column without a dictionary. */
  async before(bytes: ByteReader, batch: number): Promise<readonly Id[]> {
    const column = this.#column
    if (column?.shape?.kind !== 'dictionary') return this.#values
    const places = this.#ofBatch[batch]
    if (places === this.#loaded) return this.#values
    const values: Id[] = []
    for (const at of places) {
      const message = await messageAt(bytes, at)
      if (message === undefined)
        throw new InvalidFileError(bytes.path, 'it was changed while it was read', { offset: at })
      const more = await dictionaryValues(new ArrowBuffers(bytes, message), column, column.shape.values, values.length)
      for (const value of more) values.push(value)
    }
    this.#loaded = places
    this.#values = values
    return values
  }
}
