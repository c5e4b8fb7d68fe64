import type { DictionaryFile } from '../../format/fields/dictionary.js'
import type { SegmentHeader } from '../../format/segment/segment-header.js'
import type { FieldMemory, Holdable } from './field-memory.js'

/** Bytes of a dictionary that are read in the time of one short read, about. */
const BYTES_PER_READ = 2048

/**
 * A dictionary that is read from its file until all reads took as long as reading all of it; then it is held, where there
 * is room. One lookup has about 40 reads.
 */
export class DictionaryMemory implements DictionaryFile, Holdable {
  readonly path: string
  readonly header: SegmentHeader
  readonly heldBytes: number
  readonly #file: DictionaryFile
  readonly #memory: FieldMemory
  #reads = 0
  #data: Uint8Array | undefined

  constructor(file: DictionaryFile, memory: FieldMemory) {
    this.path = file.path
    this.header = file.header
    this.heldBytes = file.header.dataBytes
    this.#file = file
    this.#memory = memory
  }

  /** @throws CorruptIndexError */
  read(dataOffset: number, into: Uint8Array): void {
    if (this.#data === undefined && ++this.#reads * BYTES_PER_READ >= this.heldBytes) this.#hold()
    if (this.#data === undefined) this.#file.read(dataOffset, into)
    else into.set(this.#data.subarray(dataOffset, dataOffset + into.length))
  }

  drop(): void {
    this.#data = undefined
  }

  #hold(): void {
    this.#reads = 0
    if (!this.#memory.holds(this)) return
    const data = new Uint8Array(this.heldBytes)
    this.#file.read(0, data)
    this.#data = data
  }
}
