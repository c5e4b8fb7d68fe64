/** The values of columns as arrays: how many, what is missing, what cannot be. */
import { MISSING_BOOLEAN, MISSING_CODE } from '../../../format/fields/column-layout.js'

export type Values = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

/** What a column needs to know of its kind of values. */
export interface ValueKind<V extends Values> {
  /** Numbers that are all missing. */
  readonly make: (length: number) => V
  /** A view of the same kind on bytes. */
  readonly view: (buffer: ArrayBuffer, length: number) => V
  readonly missing: number
  readonly bytes: number
  /** What is wrong with the numbers from `from` up to `to`; undefined when nothing is. */
  readonly problem: (values: V, from: number, to: number) => string | undefined
}

export const NUMBERS: ValueKind<Float64Array<ArrayBuffer>> = {
  make: (length) => new Float64Array(length).fill(NaN),
  view: (buffer, length) => new Float64Array(buffer, 0, length),
  missing: NaN,
  bytes: 8,
  problem: () => undefined,
}

export const BOOLEANS: ValueKind<Uint8Array<ArrayBuffer>> = {
  make: (length) => new Uint8Array(length).fill(MISSING_BOOLEAN),
  view: (buffer, length) => new Uint8Array(buffer, 0, length),
  missing: MISSING_BOOLEAN,
  bytes: 1,
  problem(values, from, to) {
    for (let at = from; at < to; at++) {
      if (values[at] > 1 && values[at] !== MISSING_BOOLEAN) return `a boolean is ${values[at]}`
    }
    return undefined
  },
}

/** Codes of a dictionary of `size` values; `mayMiss`: a code may be missing, as no item of a list is. */
export function codesOf(size: () => number, mayMiss: boolean): ValueKind<Uint32Array<ArrayBuffer>> {
  return {
    make: (length) => new Uint32Array(length).fill(MISSING_CODE),
    view: (buffer, length) => new Uint32Array(buffer, 0, length),
    missing: MISSING_CODE,
    bytes: 4,
    problem(values, from, to) {
      const most = size()
      const exempt = mayMiss ? MISSING_CODE : -1
      for (let at = from; at < to; at++) {
        if (values[at] >= most && values[at] !== exempt) return `code ${values[at]} of ${most} values`
      }
      return undefined
    },
  }
}
