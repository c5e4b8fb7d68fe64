import type { FilterLeaf, InLeaf, RangeLeaf } from '../../../fields/filter-node.js'
import { CorruptIndexError } from '../../../errors.js'
import { itemsOfColumn } from '../../../format/fields/column-layout.js'
import { Dictionary, type DictionaryFile } from '../../../format/fields/dictionary.js'
import type { SegmentBlocks } from '../../../format/segment/segment-blocks.js'
import { codesOf } from './column-values.js'
import { DictionaryMemory } from '../dictionary-memory.js'
import type { FieldMemory } from '../field-memory.js'
import { FixedColumn, zonesWithin } from './fixed-column.js'
import { codeBits, codeRanges, type CodeRange } from './keyword-codes.js'
import { ListColumn } from './list-column.js'
import { countCodes, keepCodes, keepCodesOf, type Piece } from '../scan-loops.js'
import type { ValueColumn, ValueCounts } from './value-column.js'

/** With more ranges of codes, a table of codes is faster than a pass for each. */
const MOST_PASSES = 4

type Match = (values: Uint32Array, piece: Piece, bits: Uint32Array) => void

/** The dictionary of a field; it is opened when it is first needed. */
class Keywords {
  readonly #file: DictionaryFile
  readonly #mostValues: number
  #dictionary: Dictionary | undefined

  /** `mostValues`: rows or items of the column, each of which has one value at most. */
  constructor(file: DictionaryFile, mostValues: number) {
    this.#file = file
    this.#mostValues = mostValues
  }

  /** @throws CorruptIndexError */
  get dictionary(): Dictionary {
    if (this.#dictionary === undefined) {
      const dictionary = new Dictionary(this.#file)
      if (dictionary.size > this.#mostValues) {
        throw new CorruptIndexError(this.#file.path, `${dictionary.size} values for ${this.#mostValues} in the column`)
      }
      this.#dictionary = dictionary
    }
    return this.#dictionary
  }

  ranges(leaf: FilterLeaf): CodeRange[] {
    return codeRanges(this.dictionary, leaf as InLeaf | RangeLeaf)
  }

  match(ranges: readonly CodeRange[]): Match {
    if (ranges.length > MOST_PASSES) {
      const wanted = codeBits(this.dictionary.size, ranges)
      return (values, piece, bits) => keepCodesOf(values, piece, wanted, bits)
    }
    const spans = ranges.map(({ low, high }) => ({ low, span: high - low }))
    return (values, piece, bits) => {
      for (const span of spans) keepCodes(values, piece, span, bits)
    }
  }

  /** `counts`: by code. */
  counted(counts: Uint32Array): ValueCounts {
    const codes = Uint32Array.from({ length: counts.reduce((sum, count) => sum + +(count > 0), 0) })
    for (let code = 0, at = 0; code < counts.length; code++) if (counts[code] > 0) codes[at++] = code
    return {
      size: codes.length,
      valueOf: (at) => this.dictionary.textOf(codes[at]),
      counts: codes.map((code) => counts[code]),
    }
  }
}

export class KeywordValues implements ValueColumn {
  readonly #keywords: Keywords
  readonly #column: FixedColumn<Uint32Array<ArrayBuffer>>

  constructor(file: SegmentBlocks, dictionary: DictionaryFile, memory: FieldMemory) {
    this.#keywords = new Keywords(new DictionaryMemory(dictionary, memory), file.header.count)
    const kind = codesOf(() => this.#keywords.dictionary.size, true)
    this.#column = new FixedColumn(file, 'keyword', kind, memory)
  }

  keep(leaf: FilterLeaf, bits: Uint32Array): void {
    this.#keepRanges(this.#keywords.ranges(leaf), bits)
  }

  keepPresent(bits: Uint32Array): void {
    const { size } = this.#keywords.dictionary
    this.#keepRanges(size === 0 ? [] : [{ low: 0, high: size - 1 }], bits)
  }

  count(bits: Uint32Array | undefined): ValueCounts {
    const counts = new Uint32Array(this.#keywords.dictionary.size + 1)
    this.#column.scan(undefined, (values, piece) => countCodes(values, piece, bits, counts))
    return this.#keywords.counted(counts.subarray(0, -1))
  }

  #keepRanges(ranges: readonly CodeRange[], bits: Uint32Array): void {
    const [first, last] = [ranges.at(0), ranges.at(-1)]
    if (first === undefined || last === undefined) return
    const match = this.#keywords.match(ranges)
    const wanted = zonesWithin(this.#column.zones, first.low, last.high)
    this.#column.scan(wanted, (values, piece) => match(values, piece, bits))
  }
}

export class KeywordListValues implements ValueColumn {
  readonly #keywords: Keywords
  readonly #column: ListColumn<Uint32Array<ArrayBuffer>>

  constructor(file: SegmentBlocks, dictionary: DictionaryFile, memory: FieldMemory) {
    const items = itemsOfColumn('keyword[]', file.header, file.path)
    this.#keywords = new Keywords(new DictionaryMemory(dictionary, memory), items)
    const kind = codesOf(() => this.#keywords.dictionary.size, false)
    this.#column = new ListColumn(file, 'keyword[]', kind, memory)
  }

  keep(leaf: FilterLeaf, bits: Uint32Array): void {
    const ranges = this.#keywords.ranges(leaf)
    if (ranges.length > 0) this.#column.keep(this.#keywords.match(ranges), bits)
  }

  keepPresent(bits: Uint32Array): void {
    this.#column.keepPresent(bits)
  }

  count(bits: Uint32Array | undefined): ValueCounts {
    const counts = new Uint32Array(this.#keywords.dictionary.size)
    this.#column.scanKept(bits, (values, at) => counts[values[at]]++)
    return this.#keywords.counted(counts)
  }
}
