/** The dictionary of one column: which messages have it for each record batch, and its values. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { ArrowBuffers } from './arrow-buffers.js'
import { messageAt, type ArrowMessage } from './arrow-message.js'

/** The values in one message; `held` is how many came in the messages before it. */
type Load<Value> = (batch: ArrowBuffers, held: number) => Promise<ArrayLike<Value>>

export class ArrowDictionary<Value> {
  /** Undefined for a column without a dictionary. */
  readonly #id: number | undefined
  readonly #load: Load<Value>
  /** Offsets of the dictionary and of what was added to it, as of the last message. */
  #current: readonly number[] = []
  readonly #ofBatch: (readonly number[])[] = []
  #loaded: readonly number[] | undefined
  #values: readonly Value[] = []

  constructor(id: number | undefined, load: Load<Value>) {
    this.#id = id
    this.#load = load
  }

  /** Notes a dictionary, which replaces the one before or adds to it. @throws InvalidFileError when it is damaged */
  meet({ header, at }: ArrowMessage, path: string): void {
    if (this.#id === undefined) return
    try {
      if (header.int64(0) === this.#id) this.#current = header.byte(2, 0) === 1 ? [...this.#current, at] : [at]
    } catch (cause) {
      throw new InvalidFileError(path, 'the metadata of an Arrow dictionary is damaged', { offset: at, cause })
    }
  }

  /** Notes that the next record batch has the dictionaries met so far. */
  endBatch(): void {
    this.#ofBatch.push(this.#current)
  }

  /** The values for the record batch number `batch`; none for a column without a dictionary. */
  async before(bytes: ByteReader, batch: number): Promise<readonly Value[]> {
    if (this.#id === undefined) return this.#values
    const places = this.#ofBatch[batch]
    if (places === this.#loaded) return this.#values
    const values: Value[] = []
    for (const at of places) {
      const message = await messageAt(bytes, at)
      if (message === undefined)
        throw new InvalidFileError(bytes.path, 'it was changed while it was read', { offset: at })
      const more = await this.#load(new ArrowBuffers(bytes, message), values.length)
      for (let i = 0; i < more.length; i++) values.push(more[i])
    }
    this.#loaded = places
    this.#values = values
    return values
  }
}
