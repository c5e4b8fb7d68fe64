/** The number types of files, and their conversion to float32. */
import { halfValues } from '../bytes/half-values.js'

export interface ValueType {
  /** Bytes of one value. */
  readonly bytes: number
  /**
   * Converts `count` values from the front of `raw` to the front of `into`; `raw` may change. Undefined for little-endian
   * float32, read in place.
   */
  readonly widen: ((raw: ArrayBuffer, count: number, into: Float32Array) => void) | undefined
}

export type ValueTypeName = 'f2' | 'bf2' | 'f4' | 'f8' | 'i1' | 'u1' | 'i2' | 'u2'

/** Little-endian. bf2 is bfloat16: the upper half of a float32. f8 is rounded to the nearest float32, infinite beyond its range; all other types are exact. */
export const VALUE_TYPES: Readonly<Record<ValueTypeName, ValueType>> = {
  f2: { bytes: 2, widen: (raw, count, into) => widenHalves(new Uint16Array(raw, 0, count), into) },
  bf2: { bytes: 2, widen: (raw, count, into) => widenUpperHalves(new Uint16Array(raw, 0, count), into) },
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

function widenUpperHalves(halves: Uint16Array, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16
}

/** The same type with its bytes the other way around. */
export function bigEndian({ bytes, widen }: ValueType): ValueType {
  if (bytes === 1) return { bytes, widen }
  return {
    bytes,
    widen(raw, count, into) {
      swapBytes(Buffer.from(raw, 0, count * bytes), bytes)
      if (widen === undefined) into.set(new Float32Array(raw, 0, count))
      else widen(raw, count, into)
    },
  }
}

function swapBytes(values: Buffer, width: number): void {
  if (width === 2) values.swap16()
  else if (width === 4) values.swap32()
  else if (width === 8) values.swap64()
}
