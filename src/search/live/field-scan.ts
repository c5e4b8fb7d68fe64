import { FieldRowReader } from '../../fields/field-row-reader.js'
import type { FieldRowList } from '../../fields/field-row-list.js'
import type { Field } from '../../fields/field.js'
import type { FilterNode } from '../../fields/filter-node.js'
import { filterKey } from '../../fields/filter/filter-key.js'
import { rowTest } from '../../fields/filter/matches.js'

/** Filters whose answers are kept. */
const KEPT_FILTERS = 64

interface Answer {
  /** How many rows were asked. */
  rows: number
  /** A bit for each row that the filter keeps. */
  bits: Uint32Array
}

/** Asks filters of rows that grow, row by row: each row once, while the filter is one of the last few. */
export class FieldScan {
  readonly #rows: FieldRowList
  readonly #reader: FieldRowReader
  /** By the key of the filter; the one used last is the last. */
  readonly #answers = new Map<string, Answer>()

  constructor(fields: readonly Field[], rows: FieldRowList) {
    this.#rows = rows
    this.#reader = new FieldRowReader(fields)
  }

  /** A bit for each row, valid until rows are added. */
  select(filter: FilterNode): Uint32Array {
    const key = filterKey(filter)
    const answer = this.#answers.get(key) ?? { rows: 0, bits: new Uint32Array(0) }
    this.#answers.delete(key)
    this.#ask(filter, answer)
    this.#answers.set(key, answer)
    if (this.#answers.size > KEPT_FILTERS) {
      for (const [oldest] of this.#answers) {
        this.#answers.delete(oldest)
        break
      }
    }
    return answer.bits
  }

  /** Asks about the rows that came since. */
  #ask(filter: FilterNode, answer: Answer): void {
    const rows = this.#rows
    const words = Math.ceil(rows.count / 32)
    if (words > answer.bits.length) {
      const bits = new Uint32Array(Math.max(words, 2 * answer.bits.length))
      bits.set(answer.bits)
      answer.bits = bits
    }
    if (answer.rows === rows.count) return
    const keeps = rowTest(filter)
    for (let row = answer.rows; row < rows.count; row++) {
      this.#reader.open(rows.bytes, rows.start(row), rows.start(row + 1))
      if (keeps(this.#reader)) answer.bits[row >>> 5] |= 1 << (row & 31)
    }
    answer.rows = rows.count
  }
}
