import type { FieldType } from '../api/fields.js'
import { MAX_FIELD_ROW_BYTES } from './encode-value.js'
import type { Field } from './field.js'
import { isDegrees, MAX_DATE_MS } from './values/scalars.js'

/** `#starts` of a field without a value. */
const MISSING = -1

/**
 * Reads the encoded fields of one record after another, without an object for each. `open` checks every length, so that
 * nothing outside of the row can be read afterwards, and every number. A single value counts as a list of one item.
 */
export class FieldRowReader {
  readonly fields: readonly Field[]
  /** What `open` was given; the positions of text are positions in it. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the value of each field begins; -1 without one. */
  readonly #starts: Int32Array
  readonly #presenceBytes: number
  #view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0))
  #buffer: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  /** Where `bytes` begins in the view. */
  #base = 0
  #end = 0
  // The last item of a list of text: the next one lies behind it.
  #lastField = MISSING
  #lastItem = 0
  #lastAt = 0

  constructor(fields: readonly Field[]) {
    this.fields = fields
    this.#starts = new Int32Array(fields.length).fill(MISSING)
    this.#presenceBytes = Math.ceil(fields.length / 8)
  }

  /** The row at `from` to `to` of `bytes`. @throws RangeError that says what is wrong with it; then no field has a value */
  open(bytes: Uint8Array, from: number, to: number): void {
    this.#starts.fill(MISSING)
    this.#lastField = MISSING
    if (!(from >= 0 && from <= to && to <= bytes.length && to - from <= MAX_FIELD_ROW_BYTES)) {
      throw new RangeError(`a row of fields cannot lie at ${from} to ${to} of ${bytes.length} bytes`)
    }
    if (bytes.buffer !== this.#view.buffer) {
      this.#view = new DataView(bytes.buffer)
      this.#buffer = Buffer.from(bytes.buffer)
    }
    this.#base = bytes.byteOffset
    this.bytes = bytes
    this.#end = to
    try {
      this.#walk(from)
    } catch (error) {
      this.#starts.fill(MISSING)
      throw error
    }
  }

  has(field: number): boolean {
    return this.#starts[field] >= 0
  }

  /** Values of the field: 0 when it is missing, 1 for a single one. */
  items(field: number): number {
    const at = this.#starts[field]
    if (!(at >= 0)) return 0
    const { type } = this.fields[field]
    return type === 'keyword[]' || type === 'number[]' ? this.#u32(at) : 1
  }

  /** Of number and date (milliseconds); of boolean 0 or 1; NaN when it is missing. */
  number(field: number): number {
    return this.itemNumber(field, 0)
  }

  itemNumber(field: number, item: number): number {
    if (!(item >= 0 && item < this.items(field))) return NaN
    const at = this.#starts[field]
    const { type } = this.fields[field]
    if (type === 'boolean') return this.bytes[at]
    if (type === 'number[]') return this.#f64(at + 4 + 8 * item)
    return type === 'number' || type === 'date' ? this.#f64(at) : NaN
  }

  /** NaN when it is missing, or no place. */
  lat(field: number): number {
    return this.#isPlace(field) ? this.#f64(this.#starts[field]) : NaN
  }

  lon(field: number): number {
    return this.#isPlace(field) ? this.#f64(this.#starts[field] + 8) : NaN
  }

  /** Where the UTF-8 of keyword, text or stored begins in `bytes`. 0 when it is missing, and `bytesTo` too. */
  bytesFrom(field: number): number {
    return this.itemFrom(field, 0)
  }

  bytesTo(field: number): number {
    return this.itemTo(field, 0)
  }

  itemFrom(field: number, item: number): number {
    const at = this.#textAt(field, item)
    return at < 0 ? 0 : at + 4
  }

  itemTo(field: number, item: number): number {
    const at = this.#textAt(field, item)
    return at < 0 ? 0 : at + 4 + this.#u32(at)
  }

  /** An item of keyword, text or stored; '' when it is missing. Bytes that are no UTF-8 become U+FFFD. */
  itemText(field: number, item: number): string {
    return this.#buffer.toString('utf8', this.#base + this.itemFrom(field, item), this.#base + this.itemTo(field, item))
  }

  #isPlace(field: number): boolean {
    return this.has(field) && this.fields[field].type === 'geo'
  }

  /** Where the length of a text lies; -1 when there is none. */
  #textAt(field: number, item: number): number {
    if (!(Number.isInteger(item) && item >= 0 && item < this.items(field))) return MISSING
    const { type } = this.fields[field]
    const start = this.#starts[field]
    if (type === 'keyword' || type === 'text' || type === 'stored') return start
    if (type !== 'keyword[]') return MISSING
    // Walking on from the last item: a list is read once, not once for each item.
    const known = this.#lastField === field && this.#lastItem <= item
    let at = known ? this.#lastAt : start + 4
    for (let i = known ? this.#lastItem : 0; i < item; i++) at += 4 + this.#u32(at)
    this.#lastField = field
    this.#lastItem = item
    this.#lastAt = at
    return at
  }

  #walk(from: number): void {
    const { bytes, fields } = this
    let at = this.#checked(from, this.#presenceBytes)
    for (let i = 0; i < fields.length; i++) {
      if ((bytes[from + (i >> 3)] & (1 << (i & 7))) === 0) continue
      this.#starts[i] = at
      at = this.#skip(fields[i].type, at)
    }
    const unused = 8 * this.#presenceBytes - fields.length
    if (bytes[from + this.#presenceBytes - 1] >> (8 - unused) !== 0) throw new RangeError('a row has an unknown field')
    if (at !== this.#end) throw new RangeError(`a row of fields ends ${this.#end - at} bytes before its last byte`)
  }

  /** Checks the value at `at` and returns where it ends. */
  #skip(type: FieldType, at: number): number {
    switch (type) {
      case 'number':
        return this.#skipNumbers(at, 1, Number.MAX_VALUE)
      case 'date':
        return this.#skipNumbers(at, 1, MAX_DATE_MS)
      case 'boolean':
        return this.#skipBoolean(at)
      case 'geo':
        return this.#skipPlace(at)
      case 'number[]':
        return this.#skipNumbers(this.#checked(at, 4), this.#count(at), Number.MAX_VALUE)
      case 'keyword[]':
        return this.#skipTexts(this.#checked(at, 4), this.#count(at))
      default:
        return this.#skipTexts(at, 1)
    }
  }

  #skipNumbers(at: number, count: number, most: number): number {
    const end = this.#checked(at, 8 * count)
    for (let i = at; i < end; i += 8) {
      if (!(Math.abs(this.#f64(i)) <= most)) throw new RangeError(`a row of fields has the number ${this.#f64(i)}`)
    }
    return end
  }

  #skipBoolean(at: number): number {
    const end = this.#checked(at, 1)
    if (this.bytes[at] > 1) throw new RangeError(`a row of fields has the boolean ${this.bytes[at]}`)
    return end
  }

  #skipPlace(at: number): number {
    const end = this.#checked(at, 16)
    if (!isDegrees(this.#f64(at), 90) || !isDegrees(this.#f64(at + 8), 180)) {
      throw new RangeError(`a row of fields has the place ${this.#f64(at)}, ${this.#f64(at + 8)}`)
    }
    return end
  }

  #skipTexts(at: number, count: number): number {
    let end = at
    // Each takes 4 bytes at least, so that a forged count ends this soon.
    for (let i = 0; i < count; i++) {
      const text = this.#checked(end, 4)
      end = this.#checked(text, this.#u32(end))
    }
    return end
  }

  /** Items of the list at `at`, whose 4 bytes are checked. An empty one is missing, so it is not stored. */
  #count(at: number): number {
    const count = this.#u32(at)
    if (count === 0) throw new RangeError('a row of fields has an empty list')
    return count
  }

  /** The end of `length` bytes at `at`. */
  #checked(at: number, length: number): number {
    if (length > this.#end - at) {
      throw new RangeError(`a row of fields has ${this.#end - at} bytes left for a value of ${length}`)
    }
    return at + length
  }

  #u32(at: number): number {
    return this.#view.getUint32(this.#base + at, true)
  }

  #f64(at: number): number {
    return this.#view.getFloat64(this.#base + at, true)
  }
}
