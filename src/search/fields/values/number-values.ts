import type { FilterLeaf, RangeLeaf } from '../../../fields/filter-node.js'
import type { SegmentBlocks } from '../../../format/segment/segment-blocks.js'
import { NUMBERS } from './column-values.js'
import { eachKept } from '../each-kept.js'
import type { FieldMemory } from '../field-memory.js'
import { FixedColumn, zonesWithin } from './fixed-column.js'
import { ListColumn } from './list-column.js'
import { nextAbove, nextBelow } from '../next-number.js'
import { keepNumbers, keepNumbersOf, type Piece } from '../scan-loops.js'
import type { ValueColumn, ValueCounts } from './value-column.js'

/** With more values, a search in a sorted list is faster than a pass for each. */
const MOST_PASSES = 4

type Match = (values: Float64Array, piece: Piece, bits: Uint32Array) => void

interface Wanted {
  /** The smallest and the largest number that match. */
  readonly low: number
  readonly high: number
  readonly match: Match
}

/** What a leaf asks of numbers. */
function wantedOf(leaf: FilterLeaf): Wanted {
  const { op } = leaf
  if (op === 'in') return oneOf(Float64Array.from(leaf.values as readonly number[]))
  const { low, high, lowIncluded, highIncluded } = leaf as RangeLeaf
  const lowest = low === undefined ? -Infinity : lowIncluded ? Number(low) : nextAbove(Number(low))
  const highest = high === undefined ? Infinity : highIncluded ? Number(high) : nextBelow(Number(high))
  return between(lowest, highest)
}

const ANY = between(-Infinity, Infinity)

function between(low: number, high: number): Wanted {
  return { low, high, match: (values, piece, bits) => keepNumbers(values, piece, { low, high }, bits) }
}

/** `numbers`: ascending, at least one. */
function oneOf(numbers: Float64Array): Wanted {
  const [low, high] = [numbers[0], numbers[numbers.length - 1]]
  if (numbers.length > MOST_PASSES) {
    return { low, high, match: (values, piece, bits) => keepNumbersOf(values, piece, numbers, bits) }
  }
  return {
    low,
    high,
    match: (values, piece, bits) => {
      for (const number of numbers) keepNumbers(values, piece, { low: number, high: number }, bits)
    },
  }
}

/** Counts numbers, which must not be NaN. */
class NumberCounter {
  readonly #counts = new Map<number, number>()

  add(number: number): void {
    this.#counts.set(number, (this.#counts.get(number) ?? 0) + 1)
  }

  counted(): ValueCounts {
    const numbers = Float64Array.from(this.#counts.keys()).sort()
    return {
      size: numbers.length,
      valueOf: (at) => numbers[at],
      counts: Array.from(numbers, (number) => this.#counts.get(number) ?? 0),
    }
  }
}

/** Numbers and dates. */
export class NumberValues implements ValueColumn {
  readonly #column: FixedColumn<Float64Array<ArrayBuffer>>

  constructor(file: SegmentBlocks, type: 'number' | 'date', memory: FieldMemory) {
    this.#column = new FixedColumn(file, type, NUMBERS, memory)
  }

  keep(leaf: FilterLeaf, bits: Uint32Array): void {
    this.#keep(wantedOf(leaf), bits)
  }

  keepPresent(bits: Uint32Array): void {
    this.#keep(ANY, bits)
  }

  count(bits: Uint32Array | undefined): ValueCounts {
    const counter = new NumberCounter()
    this.#column.scan(undefined, (values, piece) => {
      eachKept(piece, bits, (at) => {
        if (!Number.isNaN(values[at])) counter.add(values[at])
      })
    })
    return counter.counted()
  }

  #keep({ low, high, match }: Wanted, bits: Uint32Array): void {
    this.#column.scan(zonesWithin(this.#column.zones, low, high), (values, piece) => match(values, piece, bits))
  }
}

export class NumberListValues implements ValueColumn {
  readonly #column: ListColumn<Float64Array<ArrayBuffer>>

  constructor(file: SegmentBlocks, memory: FieldMemory) {
    this.#column = new ListColumn(file, 'number[]', NUMBERS, memory)
  }

  keep(leaf: FilterLeaf, bits: Uint32Array): void {
    this.#column.keep(wantedOf(leaf).match, bits)
  }

  keepPresent(bits: Uint32Array): void {
    this.#column.keepPresent(bits)
  }

  count(bits: Uint32Array | undefined): ValueCounts {
    const counter = new NumberCounter()
    this.#column.scanKept(bits, (values, at) => {
      if (!Number.isNaN(values[at])) counter.add(values[at])
    })
    return counter.counted()
  }
}
