/**
 * The loops of filters: each sets the bits of the rows that it keeps. There is one for each kind of array, so that its
 * code is compiled for one. Nothing branches by row: the result of a comparison is shifted to its place, four rows at a
 * time, which takes a third less than one by one.
 */

/**
 * Values that lie together, of consecutive rows: 32 for each word of bits. What is beyond the last row is missing: a code
 * of 2^32 - 1, NaN, or 255.
 */
export interface Piece {
  /** Of the first value. */
  readonly from: number
  readonly words: number
  readonly firstWord: number
}

/** Codes from `low` to `low + span`. */
export function keepCodes(
  values: Uint32Array,
  { from, words, firstWord }: Piece,
  { low, span }: { readonly low: number; readonly span: number },
  bits: Uint32Array,
): void {
  for (let word = 0, at = from; word < words; word++) {
    let kept = 0
    for (let i = 0; i < 32; i += 4, at += 4) {
      kept |=
        (+((values[at] - low) >>> 0 <= span) |
          (+((values[at + 1] - low) >>> 0 <= span) << 1) |
          (+((values[at + 2] - low) >>> 0 <= span) << 2) |
          (+((values[at + 3] - low) >>> 0 <= span) << 3)) <<
        i
    }
    bits[firstWord + word] |= kept
  }
}

/** Numbers from `low` to `high`: never NaN. */
export function keepNumbers(
  values: Float64Array,
  { from, words, firstWord }: Piece,
  { low, high }: { readonly low: number; readonly high: number },
  bits: Uint32Array,
): void {
  for (let word = 0, at = from; word < words; word++) {
    let kept = 0
    for (let i = 0; i < 32; i += 4, at += 4) {
      const a = values[at]
      const b = values[at + 1]
      const c = values[at + 2]
      const d = values[at + 3]
      kept |=
        ((+(a >= low) & +(a <= high)) |
          ((+(b >= low) & +(b <= high)) << 1) |
          ((+(c >= low) & +(c <= high)) << 2) |
          ((+(d >= low) & +(d <= high)) << 3)) <<
        i
    }
    bits[firstWord + word] |= kept
  }
}

/** Booleans from `low` to `low + span`. */
export function keepBooleans(
  values: Uint8Array,
  { from, words, firstWord }: Piece,
  { low, span }: { readonly low: number; readonly span: number },
  bits: Uint32Array,
): void {
  for (let word = 0, at = from; word < words; word++) {
    let kept = 0
    for (let i = 0; i < 32; i += 4, at += 4) {
      kept |=
        (+((values[at] - low) >>> 0 <= span) |
          (+((values[at + 1] - low) >>> 0 <= span) << 1) |
          (+((values[at + 2] - low) >>> 0 <= span) << 2) |
          (+((values[at + 3] - low) >>> 0 <= span) << 3)) <<
        i
    }
    bits[firstWord + word] |= kept
  }
}

/** Codes whose bits are set in `wanted`. Its last word is 0: that of all codes beyond, and of missing ones. */
export function keepCodesOf(
  values: Uint32Array,
  { from, words, firstWord }: Piece,
  wanted: Uint32Array,
  bits: Uint32Array,
): void {
  const last = wanted.length - 1
  for (let word = 0, at = from; word < words; word++) {
    let kept = 0
    for (let i = 0; i < 32; i++, at++) {
      const code = values[at]
      kept |= ((wanted[Math.min(code >>> 5, last)] >>> (code & 31)) & 1) << i
    }
    bits[firstWord + word] |= kept
  }
}

/** Numbers that are among `sorted`, which has at least one. */
export function keepNumbersOf(
  values: Float64Array,
  { from, words, firstWord }: Piece,
  sorted: Float64Array,
  bits: Uint32Array,
): void {
  for (let word = 0, at = from; word < words; word++) {
    let kept = 0
    for (let i = 0; i < 32; i++, at++) {
      const value = values[at]
      // The place of the last one that is not above the value: halves without a branch that depends on it.
      let place = 0
      for (let left = sorted.length; left > 1;) {
        const half = left >>> 1
        place += half * +(sorted[place + half] <= value)
        left -= half
      }
      kept |= +(sorted[place] === value) << i
    }
    bits[firstWord + word] |= kept
  }
}

/** Items of which `keepRowsOfItems` looks at some, and the rows that they are of. */
export interface ItemPiece {
  readonly words: number
  /** That of bit 0. */
  readonly firstItem: number
  /** Row i has the items from `offsets[i]` up to `offsets[i + 1]`. */
  readonly offsets: Uint32Array
  readonly rows: number
  /** Of all rows, that of `offsets[0]`. */
  readonly firstRow: number
}

/**
 * From items to rows: sets the bits of the rows that have an item whose bit is set. `row`: one that is not behind that of
 * the first item. Returns the row that it came to, for the items that follow.
 */
export function keepRowsOfItems(itemBits: Uint32Array, piece: ItemPiece, from: number, bits: Uint32Array): number {
  const { words, firstItem, offsets, rows, firstRow } = piece
  let row = from
  for (let word = 0; word < words; word++) {
    for (let left = itemBits[word]; left !== 0; left &= left - 1) {
      const item = firstItem + 32 * word + 31 - Math.clz32(left & -left)
      if (offsets[row + 1] <= item) row = rowOfItem(item, offsets, rows, row + 1)
      const kept = firstRow + row
      bits[kept >>> 5] |= 1 << (kept & 31)
    }
  }
  return row
}

/** The row of an item, from `row` on: in longer and longer steps, then by halves, because most matches are far apart. */
function rowOfItem(item: number, offsets: Uint32Array, rows: number, row: number): number {
  let low = row
  let step = 1
  while (low + step < rows && offsets[low + step] <= item) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, rows)
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (offsets[middle] <= item) low = middle
    else high = middle
  }
  return low
}

/** Rows that have an item. */
export function keepRowsWithItems(offsets: Uint32Array, rows: number, firstRow: number, bits: Uint32Array): void {
  for (let i = 0; i < rows; i++) {
    const row = firstRow + i
    bits[row >>> 5] |= +(offsets[i + 1] > offsets[i]) << (row & 31)
  }
}

/** Counts the codes of the rows in `bits`, or of all: those that are missing at the last place of `counts`. */
export function countCodes(
  values: Uint32Array,
  { from, words, firstWord }: Piece,
  bits: Uint32Array | undefined,
  counts: Uint32Array,
): void {
  const last = counts.length - 1
  for (let word = 0; word < words; word++) {
    const first = from + 32 * word
    if (bits === undefined) {
      for (let i = 0; i < 32; i++) counts[Math.min(values[first + i], last)]++
      continue
    }
    for (let left = bits[firstWord + word]; left !== 0; left &= left - 1) {
      counts[Math.min(values[first + 31 - Math.clz32(left & -left)], last)]++
    }
  }
}
