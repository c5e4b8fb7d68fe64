/** The little-endian number types of files, and their conversion to float32. */
import { halfValues } from '../bytes/half-values.js'

export interface ValueType {
  /** Bytes of one value. */
  readonly bytes: number
  /** Converts `count` values from the front of `raw` to the front of `into`. Undefined for float32, read in place. */
  readonly widen: ((raw: ArrayBuffer, count: number, into: Float32Array) => void) | undefined
}

export type ValueTypeName = 'f2' | 'f4' | 'f8' | 'i1' | 'u1' | 'i2' | 'u2'

/** f8 is rounded to the nearest float32, infinite beyond its range; all other types are exact. */
export const VALUE_TYPES: Readonly<Record<ValueTypeName, ValueType>> = {
  f2: { bytes: 2, widen: (raw, count, into) => widenHalves(new Uint16Array(raw, 0, count), into) },
  f4: { bytes: 4, widen: undefined },
  f8: { bytes: 8, widen: (raw, count, into) => into.set(new Float64Array(raw, 0, count)) },
  i1: { bytes: 1, widen: (raw, count, into) => into.set(new Int8Array(raw, 0, count)) },
  u1: { bytes: 1, widen: (raw, count, into) => into.set(new Uint8Array(raw, 0, count)) },
  i2: { bytes: 2, widen: (raw, count, into) => into.set(new Int16Array(raw, 0, count)) },
  u2: { bytes: 2, widen: (raw, count, into) => into.set(new Uint16Array(raw, 0, count)) },
}

export function widenHalves(halves: Uint16Array, into: Float32Array): void {
  const values = halfValues()
  for (let i = 0; i < halves.length; i++) into[i] = values[halves[i]]
}
