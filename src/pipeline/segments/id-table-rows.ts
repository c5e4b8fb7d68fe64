import { ID_TABLE_STRIDE_BYTES } from '../../format/segment/segment-file.js'

const ROW_WORDS = ID_TABLE_STRIDE_BYTES / 4
const OUT_ROWS = 4096

/** Rows of an id table by ascending hash, those of one hash by node: an id with several vectors has several. */
export class IdTableRows {
  readonly #write: (rows: Uint8Array) => void
  readonly #out = new Uint32Array(OUT_ROWS * ROW_WORDS)
  #filled = 0
  #high = 0
  #low = 0
  /** Nodes of the last hash. */
  #nodes = new Uint32Array(16)
  #length = 0

  /** `write`: takes whole rows, in order, before it returns. */
  constructor(write: (rows: Uint8Array) => void) {
    this.#write = write
  }

  /** Hashes must ascend; nodes of one hash come in any order. */
  add(high: number, low: number, node: number): void {
    if (this.#length > 0 && (high !== this.#high || low !== this.#low)) this.#endHash()
    this.#high = high
    this.#low = low
    if (this.#length === this.#nodes.length) {
      const nodes = new Uint32Array(2 * this.#length)
      nodes.set(this.#nodes)
      this.#nodes = nodes
    }
    this.#nodes[this.#length++] = node
  }

  /** After the last row. */
  end(): void {
    this.#endHash()
    this.#flush()
  }

  #endHash(): void {
    if (this.#length > 1) this.#nodes.subarray(0, this.#length).sort()
    for (let i = 0; i < this.#length; i++) {
      this.#out[this.#filled] = this.#high
      this.#out[this.#filled + 1] = this.#low
      this.#out[this.#filled + 2] = this.#nodes[i]
      this.#filled += ROW_WORDS
      if (this.#filled === this.#out.length) this.#flush()
    }
    this.#length = 0
  }

  #flush(): void {
    if (this.#filled > 0) this.#write(new Uint8Array(this.#out.buffer, 0, 4 * this.#filled))
    this.#filled = 0
  }
}
