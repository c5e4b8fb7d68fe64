/**
 * The postings of one term: for each node that has it, ascending, a varint 2 x (node − the node before) + (1 when the term
 * is there once), and else a varint with how often it is there. Before the first node comes −1.
 */
import { CorruptIndexError } from '../../errors.js'
import type { FieldData } from './field-data.js'
import { MAX_POSTING_BYTES } from './write-posting.js'

const READ_BYTES = 2 ** 15

/** The nodes that have a term, in ascending order. */
export interface PostingsCursor {
  /** The next node; Infinity at the end. */
  readonly node: number
  /**
   * Takes the postings of nodes below `limit`: nodes and how often they have the term. Both arrays have room for as many
   * as there can be. Returns how many there are.
   */
  fill(limit: number, nodes: Uint32Array, counts: Uint32Array): number
}

/** Where postings are, and what they must be. */
export interface PostingsPlace {
  readonly from: number
  readonly bytes: number
  readonly documents: number
  /** Of the index. */
  readonly nodes: number
}

/** Reads postings piece by piece. What it reads is checked. @throws CorruptIndexError */
export class StoredPostings implements PostingsCursor {
  node = -1
  #count = 0
  readonly #data: FieldData
  readonly #nodes: number
  readonly #buffer: Uint8Array
  #at = 0
  #end = 0
  /** Of the file. */
  #readAt: number
  readonly #readTo: number
  #left: number

  constructor(data: FieldData, { from, bytes, documents, nodes }: PostingsPlace) {
    this.#data = data
    this.#nodes = nodes
    this.#buffer = new Uint8Array(Math.min(bytes, READ_BYTES))
    this.#readAt = from
    this.#readTo = from + bytes
    this.#left = documents
    this.#step()
  }

  fill(limit: number, nodes: Uint32Array, counts: Uint32Array): number {
    let filled = 0
    while (this.node < limit) {
      nodes[filled] = this.node
      counts[filled] = this.#count
      filled++
      this.#step()
    }
    return filled
  }

  #step(): void {
    if (this.#left === 0) {
      if (this.#at !== this.#end || this.#readAt !== this.#readTo) throw this.#corrupt('go on after their last node')
      this.node = Infinity
      return
    }
    if (this.#end - this.#at < MAX_POSTING_BYTES && this.#readAt < this.#readTo) this.#read()
    const value = this.#varint()
    const gap = Math.floor(value / 2)
    this.node += gap
    this.#count = value % 2 === 1 ? 1 : this.#varint()
    if (gap === 0 || this.node >= this.#nodes || this.#count === 0 || this.#count >= 2 ** 32) {
      throw this.#corrupt(`have node ${this.node} of ${this.#nodes}, ${this.#count} times`)
    }
    this.#left--
  }

  #varint(): number {
    const buffer = this.#buffer
    let at = this.#at
    let value = 0
    for (let factor = 1; at < this.#end && factor < 2 ** 35; factor *= 128) {
      const byte = buffer[at++]
      if (byte < 128) {
        this.#at = at
        return value + byte * factor
      }
      value += (byte & 0x7f) * factor
    }
    throw this.#corrupt('have a number without an end')
  }

  #read(): void {
    const kept = this.#end - this.#at
    this.#buffer.copyWithin(0, this.#at, this.#end)
    const length = Math.min(this.#buffer.length - kept, this.#readTo - this.#readAt)
    this.#data.read(this.#readAt, this.#buffer.subarray(kept, kept + length))
    this.#readAt += length
    this.#at = 0
    this.#end = kept + length
  }

  #corrupt(what: string): CorruptIndexError {
    return new CorruptIndexError(this.#data.path, `the postings before byte ${this.#readAt} of the data ${what}`)
  }
}
