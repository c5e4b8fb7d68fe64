/** Checks the header of a frame before it is decoded. */

// For the msgpack types 0xc0 to 0xdf, in order: the width of the length that follows, and the bytes besides.
// prettier-ignore
const LENGTH_BYTES = [0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4]
// prettier-ignore
const MORE_BYTES = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 0, 0, 0, 0, 0, 0, 0]
const FIRST_TYPE = 0xc0
const UNUSED_TYPE = 0xc1
const FIRST_ARRAY = 0xdc
const FIRST_MAP = 0xde

/**
 * Whether `bytes` is exactly one msgpack value whose arrays and maps promise no more values than there are bytes: a
 * decoder allocates what a length promises before it reads the values.
 */
export function isSoundHeader(bytes: Buffer): boolean {
  let owed = 1
  let at = 0
  while (owed > 0) {
    if (owed > bytes.length - at) return false
    const type = bytes[at++]
    owed--
    if (type <= 0x7f || type > 0xdf) continue
    if (type < 0x90) owed += 2 * (type & 0x0f)
    else if (type < 0xa0) owed += type & 0x0f
    else if (type < FIRST_TYPE) at += type & 0x1f
    else if (type === UNUSED_TYPE) return false
    else {
      const width = LENGTH_BYTES[type - FIRST_TYPE]
      if (at + width > bytes.length) return false
      const length = width === 0 ? 0 : bytes.readUIntBE(at, width)
      at += width + MORE_BYTES[type - FIRST_TYPE]
      if (type < FIRST_ARRAY) at += length
      else owed += type < FIRST_MAP ? length : 2 * length
    }
  }
  return at === bytes.length
}
