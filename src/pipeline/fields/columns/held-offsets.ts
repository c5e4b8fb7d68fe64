import type { PartWriter } from '../../../format/segment/part-writer.js'

const HELD = 4096

/** Numbers on their way to a file, so that each of them is not a write. */
export class HeldOffsets {
  readonly #writer: PartWriter
  readonly #held: Uint32Array | Float64Array
  #used = 0

  /** `of`: the type of the numbers in the file. */
  constructor(writer: PartWriter, of: typeof Uint32Array | typeof Float64Array) {
    this.#writer = writer
    this.#held = new of(HELD)
  }

  add(offset: number): void {
    if (this.#used === HELD) this.flush()
    this.#held[this.#used++] = offset
  }

  flush(): void {
    this.#writer.write(new Uint8Array(this.#held.buffer, 0, this.#held.BYTES_PER_ELEMENT * this.#used))
    this.#used = 0
  }
}
