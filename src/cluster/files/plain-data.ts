/**
 * Plain data as msgpack and raw arrays. Pure functions on values and bytes.
 *
 * Marks stand for what msgpack has no form for, or must not hold: a list is `[0, …items]`, every other array of msgpack is
 * a mark `[kind, place]` into a table. So nothing in the data can be taken for a mark.
 */
import type * as msgpackr from 'msgpackr'
// Not 'msgpackr' itself, which loads a native addon where one is installed. This entry has no types that resolve.
import * as withoutAddon from 'msgpackr/pack'
import { isSoundHeader } from '../../../spill/files/is-sound-header.js'
import { isShared, viewKind } from '../../runtime/realms.js'
import type { Place } from '../messages.js'

const { Packr } = withoutAddon as unknown as typeof msgpackr
const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })

const LIST = 0
const PATH = 1
const ARRAY = 2
const STORED = 3
const HOLE = 4
const MINUS_ZERO = 5

/** Arrays of any element. */
export type View = NodeJS.TypedArray

const VIEWS = {
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
} as const
type ViewName = keyof typeof VIEWS
const VIEW_NAMES = Object.keys(VIEWS) as ViewName[]

/** An array in the tables of a head. */
export interface ArrayShape {
  readonly view: ViewName
  readonly bytes: number
  /** Whether it lay in memory that threads share. */
  readonly isShared: boolean
}

/** Data without the content of its arrays. `value` has the marks. */
export interface Head {
  readonly value: unknown
  /** Relative, with '/'. */
  readonly paths: readonly string[]
  /** Their bytes follow the head. */
  readonly arrays: readonly ArrayShape[]
  /** Their bytes are in other files. */
  readonly stored: readonly { readonly shape: ArrayShape; readonly place: Place }[]
  /** Their bytes are nowhere: the task fills them. */
  readonly holes: readonly ArrayShape[]
}

/** What becomes of strings and arrays. */
export interface EncodeRules {
  /** The relative form of a path in the shared folder; undefined for any other string. */
  relative(text: string): string | undefined
  /** Where an array is already; undefined: it goes with the data. */
  placeOf?(view: View): Place | undefined
  /** The content does not matter. */
  isHole?(view: View): boolean
}

export interface EncodedData {
  readonly head: Uint8Array
  /** Views of the arrays, not copies. */
  readonly arrays: readonly Uint8Array[]
}

/** @throws TypeError for what is no plain data */
export function encodePlain(value: unknown, rules: EncodeRules): EncodedData {
  const encoder = new Encoder(rules)
  const marked = encoder.mark(value)
  const { paths, shapes, stored, holes } = encoder
  const head = packr.pack([
    marked,
    [...paths.keys()],
    shapes.map(flat),
    stored.map(({ shape, place: { file, offset, bytes, crc } }) => [...flat(shape), file, offset, bytes, crc]),
    holes.map(flat),
  ])
  return { head, arrays: encoder.arrays }
}

class Encoder {
  readonly paths = new Map<string, number>()
  readonly arrays: Uint8Array[] = []
  readonly shapes: ArrayShape[] = []
  readonly stored: { shape: ArrayShape; place: Place }[] = []
  readonly holes: ArrayShape[] = []
  readonly #marks = new Map<View, unknown>()
  readonly #rules: EncodeRules

  constructor(rules: EncodeRules) {
    this.#rules = rules
  }

  mark(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        return Object.is(value, -0) ? [MINUS_ZERO, 0] : value
      case 'boolean':
      case 'undefined':
        return value
      case 'object':
        return value === null ? null : this.#object(value)
      default:
        throw new TypeError(`a ${typeof value} is no plain data`)
    }
  }

  #string(text: string): unknown {
    const relative = this.#rules.relative(text)
    if (relative === undefined) return text
    const known = this.paths.get(relative)
    const place = known ?? this.paths.size
    if (known === undefined) this.paths.set(relative, place)
    return [PATH, place]
  }

  #object(value: object): unknown {
    if (Array.isArray(value)) {
      const list: unknown[] = [LIST]
      for (const item of value as readonly unknown[]) list.push(this.mark(item))
      return list
    }
    if (ArrayBuffer.isView(value)) return this.#view(value)
    const plain: Record<string, unknown> = {}
    if (!isPlain(value)) throw new TypeError(`${Object.prototype.toString.call(value)} is no plain data`)
    for (const key of Object.keys(value)) plain[key] = this.mark(value[key])
    return plain
  }

  #view(given: ArrayBufferView): unknown {
    const shape = shapeOf(given)
    const view = given as View
    const known = this.#marks.get(view)
    if (known !== undefined) return known
    const mark = this.#newMark(view, shape)
    this.#marks.set(view, mark)
    return mark
  }

  #newMark(view: View, shape: ArrayShape): unknown {
    if (this.#rules.isHole?.(view) === true) return [HOLE, this.holes.push(shape) - 1]
    const place = this.#rules.placeOf?.(view)
    if (place !== undefined) return [STORED, this.stored.push({ shape, place }) - 1]
    this.shapes.push(shape)
    return [ARRAY, this.arrays.push(bytesOf(view)) - 1]
  }
}

/** The bytes of an array, not a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function shapeOf(view: ArrayBufferView): ArrayShape {
  const name = VIEW_NAMES.find((each) => each === viewKind(view))
  if (name === undefined) throw new TypeError(`a ${viewKind(view)} is no plain data`)
  return { view: name, bytes: view.byteLength, isShared: isShared(view.buffer) }
}

/** All arrays in plain data. */
export function* viewsIn(value: unknown): Generator<View> {
  if (typeof value !== 'object' || value === null) return
  if (ArrayBuffer.isView(value)) {
    yield value as View
    return
  }
  for (const item of Object.values(value)) yield* viewsIn(item)
}

/** Why bytes are not what `encodePlain` makes. */
export class NotPlain extends Error {}

/** @throws NotPlain */
export function decodeHead(bytes: Buffer): Head {
  if (!isSoundHeader(bytes)) throw new NotPlain('the head is not one msgpack value')
  let parts: unknown
  try {
    parts = packr.unpack(bytes)
  } catch (cause) {
    throw new NotPlain('the head cannot be read', { cause })
  }
  const [value, paths, arrays, stored, holes] = listOf(parts, 'head')
  return {
    value,
    paths: listOf(paths, 'paths').map((path) => textOf(path)),
    arrays: listOf(arrays, 'arrays').map((shape) => shapeFrom(listOf(shape, 'array'))),
    stored: listOf(stored, 'stored arrays').map((entry) => {
      const [view, bytes, shared, file, offset, placeBytes, crc] = listOf(entry, 'stored array')
      const shape = shapeFrom([view, bytes, shared])
      if (placeBytes !== shape.bytes) throw new NotPlain('a stored array has another size than its place')
      return { shape, place: { file: textOf(file), offset: countOf(offset), bytes: shape.bytes, crc: countOf(crc) } }
    }),
    holes: listOf(holes, 'holes').map((shape) => shapeFrom(listOf(shape, 'hole'))),
  }
}

/** What the marks of a head stand for, by place in its tables. */
export interface Meanings {
  readonly paths: readonly string[]
  readonly arrays: readonly View[]
  readonly stored: readonly View[]
  readonly holes: readonly View[]
  /** A value named `path` must have been marked as one, so that every path was checked. */
  readonly onlyMarkedPaths: boolean
}

/** The data of a head. @throws NotPlain */
export function fillHead(value: unknown, meanings: Meanings): unknown {
  try {
    return filled(value, meanings, '')
  } catch (error) {
    // Data nested deeper than the stack.
    throw error instanceof NotPlain ? error : new NotPlain('the data cannot be read', { cause: error })
  }
}

function filled(value: unknown, meanings: Meanings, key: string): unknown {
  if (Array.isArray(value)) return fromMark(value as readonly unknown[], meanings)
  if (typeof value === 'string' && key === 'path' && meanings.onlyMarkedPaths) {
    throw new NotPlain(`the path ${JSON.stringify(value)} is not marked as one`)
  }
  if (typeof value === 'bigint') throw new NotPlain('a bigint is no plain data')
  if (typeof value !== 'object' || value === null) return value
  if (!isPlain(value)) throw new NotPlain(`${Object.prototype.toString.call(value)} is no plain data`)
  for (const name of Object.keys(value)) value[name] = filled(value[name], meanings, name)
  return value
}

function fromMark(mark: readonly unknown[], meanings: Meanings): unknown {
  const [kind, place] = mark
  switch (kind) {
    case LIST:
      return mark.slice(1).map((item) => filled(item, meanings, ''))
    case PATH:
      return at(meanings.paths, place, 'path')
    case ARRAY:
      return at(meanings.arrays, place, 'array')
    case STORED:
      return at(meanings.stored, place, 'stored array')
    case HOLE:
      return at(meanings.holes, place, 'hole')
    case MINUS_ZERO:
      return -0
    default:
      throw new NotPlain(`there is no mark ${JSON.stringify(kind)}`)
  }
}

/** The place in `arrays` of a head that a value of it stands for; undefined when it is no such mark. */
export function arrayPlaceOf(value: unknown): number | undefined {
  if (!Array.isArray(value)) return undefined
  const [kind, place] = value as readonly unknown[]
  return kind === ARRAY && typeof place === 'number' ? place : undefined
}

/** An array over memory that is there. */
export function viewOver({ view, bytes }: ArrayShape, buffer: ArrayBufferLike, byteOffset: number): View {
  const Kind = VIEWS[view]
  return new Kind(buffer as ArrayBuffer, byteOffset, bytes / Kind.BYTES_PER_ELEMENT)
}

function flat({ view, bytes, isShared }: ArrayShape): readonly unknown[] {
  return [VIEW_NAMES.indexOf(view), bytes, isShared]
}

function shapeFrom([view, bytes, shared]: readonly unknown[]): ArrayShape {
  const name = typeof view === 'number' ? (VIEW_NAMES[view] as ViewName | undefined) : undefined
  if (name === undefined || typeof shared !== 'boolean') throw new NotPlain('an array of no known kind')
  const count = countOf(bytes)
  if (count % VIEWS[name].BYTES_PER_ELEMENT !== 0) throw new NotPlain(`a ${name} of ${count} bytes`)
  return { view: name, bytes: count, isShared: shared }
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new NotPlain(`${what}: expected a list`)
  return value as readonly unknown[]
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new NotPlain('a path that is no text')
  return value
}

function countOf(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new NotPlain('a size that is no count')
  return value as number
}

function at<Item>(table: readonly Item[], place: unknown, what: string): Item {
  const item = typeof place === 'number' ? table[place] : undefined
  if (item === undefined) throw new NotPlain(`there is no ${what} ${JSON.stringify(place)}`)
  return item
}

function isPlain(value: object): value is Record<string, unknown> {
  // The end of the chain, not Object.prototype: the data may be of another realm.
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && Object.getPrototypeOf(prototype) === null
}
