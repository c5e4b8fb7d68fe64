import type { FilterLeaf, InLeaf } from '../../../fields/filter-node.js'
import type { SegmentBlocks } from '../../../format/segment/segment-blocks.js'
import { BOOLEANS } from './column-values.js'
import { eachKept } from '../each-kept.js'
import type { FieldMemory } from '../field-memory.js'
import { FixedColumn } from './fixed-column.js'
import { keepBooleans } from '../scan-loops.js'
import type { ValueColumn, ValueCounts } from './value-column.js'

export class BooleanValues implements ValueColumn {
  readonly #column: FixedColumn<Uint8Array<ArrayBuffer>>

  constructor(file: SegmentBlocks, memory: FieldMemory) {
    this.#column = new FixedColumn(file, 'boolean', BOOLEANS, memory)
  }

  keep(leaf: FilterLeaf, bits: Uint32Array): void {
    const wanted = ((leaf as InLeaf).values as readonly boolean[]).map(Number)
    this.#keep(wanted[0], wanted[wanted.length - 1], bits)
  }

  keepPresent(bits: Uint32Array): void {
    this.#keep(0, 1, bits)
  }

  count(bits: Uint32Array | undefined): ValueCounts {
    const counts = [0, 0]
    this.#column.scan(undefined, (values, piece) => {
      eachKept(piece, bits, (at) => {
        if (values[at] <= 1) counts[values[at]]++
      })
    })
    const there = [0, 1].filter((value) => counts[value] > 0)
    return { size: there.length, valueOf: (at) => there[at] === 1, counts: there.map((value) => counts[value]) }
  }

  #keep(low: number, high: number, bits: Uint32Array): void {
    const range = { low, span: high - low }
    this.#column.scan(undefined, (values, piece) => keepBooleans(values, piece, range, bits))
  }
}
