import { InvalidOptionError } from '../../errors.js'
import type { Field } from '../../fields/field.js'
import type { FieldRowReader } from '../../fields/field-row-reader.js'
import type { FilterLeaf, FilterNode } from '../../fields/filter-node.js'
import { hasValueColumn } from '../../format/fields/column-layout.js'
import { segmentFileName, type SegmentKind } from '../../format/segment/segment-file.js'
import type { FieldFileKind } from '../../format/segment/field-files.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import { wordsFor } from './bits.js'
import { BooleanValues } from './values/boolean-values.js'
import { facetsOf, type FacetCount } from './facets.js'
import { FieldMemory } from './field-memory.js'
import { FilterSets, MOST_FILTERS, type FilterSet } from './filter-sets.js'
import { GeoValues } from './values/geo-values.js'
import { KeywordListValues, KeywordValues } from './values/keyword-values.js'
import { NumberListValues, NumberValues } from './values/number-values.js'
import { TextIndex } from './text/text-index.js'
import { RowsFile } from './rows-file.js'
import type { ValueColumn } from './values/value-column.js'

/** The open files of a generation. */
export interface FieldFiles {
  /** All segments of this kind. */
  of(kind: SegmentKind): readonly SegmentBlocks[]
  /** The file with this name. */
  named(name: string): SegmentBlocks
}

/** The part of the memory for filters that are kept filled, where there is not room for all. */
const FILTERS_SHARE = 1 / 2
/** More than the file that a column takes in memory: the last word of bits is filled up. */
const PADDING_BYTES = 2 * 32 * 16

/** Memory in which all columns and dictionaries are held, and as many filters are kept filled as ever. */
export function allFieldsBytes(count: number, files: Pick<FieldFiles, 'of'>): number {
  const held = [...files.of('column'), ...files.of('dictionary')]
  const heldBytes = held.reduce((sum, { header }) => sum + header.dataBytes + PADDING_BYTES, 0)
  return heldBytes + MOST_FILTERS * 4 * wordsFor(count)
}

/**
 * The fields of one generation: filters become sets of nodes, nodes their fields. Files are read when something asks for
 * them. Reads are synchronous; nothing that a file says is trusted.
 */
export class OpenFields {
  readonly fields: readonly Field[]
  readonly #files: FieldFiles
  readonly #rows: RowsFile
  readonly #memory: FieldMemory
  readonly #sets: FilterSets
  readonly #columns: (ValueColumn | undefined)[] = []
  readonly #texts: (TextIndex | undefined)[] = []
  readonly #count: number

  /**
   * `memoryBytes`: of filled filters and columns, `allFieldsBytes` at most. At least one filter is kept filled, whatever
   * it is.
   */
  constructor(fields: readonly Field[], count: number, files: FieldFiles, memoryBytes: number) {
    this.fields = fields
    this.#count = count
    this.#files = files
    this.#rows = new RowsFile(fields, files.of('fields'))
    const filterBytes = 4 * wordsFor(count)
    const hasRoom = memoryBytes >= allFieldsBytes(count, files)
    const share = Math.floor((FILTERS_SHARE * memoryBytes) / filterBytes)
    const filters = hasRoom ? MOST_FILTERS : Math.max(1, Math.min(MOST_FILTERS, share))
    this.#memory = new FieldMemory(Math.max(0, memoryBytes - filters * filterBytes))
    this.#sets = new FilterSets(
      count,
      {
        keep: (leaf: FilterLeaf, bits: Uint32Array) => this.#column(leaf.field).keep(leaf, bits),
        keepPresent: (field: number, bits: Uint32Array) => this.#keepPresent(field, bits),
      },
      filters,
    )
  }

  /** The nodes that the filter keeps. The last filters are kept filled: write to no set. @throws CorruptIndexError */
  select(filter: FilterNode): FilterSet {
    return this.#sets.select(filter)
  }

  /** The encoded fields of a node: a view that is valid until the next call. @throws CorruptIndexError */
  row(node: number): Uint8Array {
    return this.#rows.row(node)
  }

  /** The same, open in a reader that is valid until the next call. @throws CorruptIndexError */
  rowReader(node: number): FieldRowReader {
    return this.#rows.reader(node)
  }

  /** The inverted index of a field of type text. @throws CorruptIndexError */
  text(field: number): TextIndex {
    return (this.#texts[field] ??= this.#openText(field))
  }

  /** Reads all columns that there is room for. @throws CorruptIndexError */
  preload(): void {
    const bits = new Uint32Array(wordsFor(this.#count))
    for (const [field, { type }] of this.fields.entries()) {
      if (hasValueColumn(type)) this.#column(field).keepPresent(bits)
    }
  }

  /**
   * How many nodes of `bits`, or of all, have each value, most first; of a list, each of its distinct items. At most
   * `limit` values. @throws InvalidOptionError for a field whose values cannot be counted
   */
  facets(field: number, bits?: Uint32Array, limit?: number): FacetCount[] {
    const { name, type } = this.fields[field]
    if (type === 'geo' || type === 'text' || type === 'stored') {
      throw new InvalidOptionError(
        `facets: values of the field ${JSON.stringify(name)} of type ${type} are not counted; name a field of another type`,
      )
    }
    return facetsOf(this.#column(field).count(bits), limit)
  }

  #keepPresent(field: number, bits: Uint32Array): void {
    const { type } = this.fields[field]
    if (type === 'stored') this.#rows.keepPresent(field, bits)
    else if (type === 'text') this.text(field).keepPresent(bits)
    else this.#column(field).keepPresent(bits)
  }

  #column(field: number): ValueColumn {
    return (this.#columns[field] ??= this.#openColumn(field))
  }

  #openText(field: number): TextIndex {
    const file = (kind: FieldFileKind): SegmentBlocks => this.#files.named(segmentFileName(kind, field))
    return new TextIndex({ terms: file('terms'), postings: file('postings'), lengths: file('column') }, this.#count)
  }

  #openColumn(field: number): ValueColumn {
    const { name, type } = this.fields[field]
    const file = (kind: FieldFileKind): SegmentBlocks => this.#files.named(segmentFileName(kind, field))
    switch (type) {
      case 'keyword':
        return new KeywordValues(file('column'), file('dictionary'), this.#memory)
      case 'keyword[]':
        return new KeywordListValues(file('column'), file('dictionary'), this.#memory)
      case 'number':
      case 'date':
        return new NumberValues(file('column'), type, this.#memory)
      case 'number[]':
        return new NumberListValues(file('column'), this.#memory)
      case 'boolean':
        return new BooleanValues(file('column'), this.#memory)
      case 'geo':
        return new GeoValues(file('column'), this.#memory)
      default:
        throw new TypeError(`the field ${name} of type ${type} has no column of values`)
    }
  }
}
