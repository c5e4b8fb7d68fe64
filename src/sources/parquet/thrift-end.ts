/**
 * Finds the end of a struct of Thrift's compact protocol. Parquet's headers are such structs, and their parser trusts
 * every length in them. This code does not: a list must fit in the remaining bytes, and nest no deeper than headers do.
 */

const MAX_DEPTH = 32

/** The struct is not complete in the given bytes. */
export const CUT = -1
/** The bytes cannot be a header, whatever follows. */
export const WRONG = -2

/** Offset after the struct at `from`, or `CUT` or `WRONG`. */
export function thriftEnd(bytes: Uint8Array, from: number): number {
  return structEnd(bytes, from, 0)
}

function structEnd(bytes: Uint8Array, from: number, depth: number): number {
  if (depth > MAX_DEPTH) return WRONG
  for (let at = from; ;) {
    if (at >= bytes.length) return CUT
    const field = bytes[at++]
    const type = field & 15
    if (type === 0) return at
    // Without a difference from the last field's number, the number follows.
    if (field >> 4 === 0) at = varintEnd(bytes, at)
    // True and false are types without a value.
    if (at >= 0 && type > 2) at = valueEnd(bytes, at, type, depth)
    if (at < 0) return at
  }
}

function valueEnd(bytes: Uint8Array, from: number, type: number, depth: number): number {
  if (type <= 3) return within(bytes, from + 1)
  if (type <= 6) return varintEnd(bytes, from)
  if (type === 7) return within(bytes, from + 8)
  if (type === 8) {
    const at = varintEnd(bytes, from)
    return at < 0 ? at : within(bytes, at + varint(bytes, from))
  }
  if (type === 9) return listEnd(bytes, from, depth)
  return type === 12 ? structEnd(bytes, from, depth + 1) : WRONG
}

function listEnd(bytes: Uint8Array, from: number, depth: number): number {
  if (from >= bytes.length) return CUT
  const type = bytes[from] & 15
  let size = bytes[from] >> 4
  let at = from + 1
  if (size === 15) {
    at = varintEnd(bytes, at)
    if (at < 0) return at
    size = varint(bytes, from + 1)
  }
  // Every element has at least one byte.
  if (size > bytes.length - at) return CUT
  for (let i = 0; i < size && at >= 0; i++) at = valueEnd(bytes, at, type, depth)
  return at
}

function within(bytes: Uint8Array, end: number): number {
  return end <= bytes.length ? end : CUT
}

function varintEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < from + 10; at++) {
    if (at >= bytes.length) return CUT
    if (bytes[at] < 128) return at + 1
  }
  return WRONG
}

function varint(bytes: Uint8Array, from: number): number {
  let value = 0
  for (let at = from, weight = 1; ; at++, weight *= 128) {
    value += (bytes[at] & 127) * weight
    if (bytes[at] < 128) return value
  }
}
