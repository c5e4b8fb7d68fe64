/**
 * id → node: rows [u32 hash high][u32 hash low][u32 node][u32 0], ascending by hash, then by node. The hash is the
 * first 64 bits of the id's fingerprint.
 *
 * Numbers are read and written through Uint32Array, so this needs a little-endian machine, like the WebAssembly
 * kernels.
 */
import { CorruptIndexError } from '../../errors.js'
import { ID_TABLE_STRIDE_BYTES } from '../segment/segment-file.js'

const ROW_WORDS = ID_TABLE_STRIDE_BYTES / 4
const DIGIT_BITS = 16
const DIGIT_MASK = 2 ** DIGIT_BITS - 1

/** Unsorted entries as columns of one length. */
export interface IdTableEntries {
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly nodes: Uint32Array
}

/** The rows of these entries in table order: the whole table, or a part of it by ascending hash. */
export function encodeIdTable(entries: IdTableEntries): Uint8Array {
  const { high, low, nodes } = entries
  if (low.length !== high.length || nodes.length !== high.length) {
    throw new RangeError(`id table columns of ${high.length}, ${low.length} and ${nodes.length} entries`)
  }
  const order = tableOrder(entries)
  const rows = new Uint32Array(high.length * ROW_WORDS)
  for (let row = 0; row < order.length; row++) {
    const entry = order[row]
    rows[row * ROW_WORDS] = high[entry]
    rows[row * ROW_WORDS + 1] = low[entry]
    rows[row * ROW_WORDS + 2] = nodes[entry]
  }
  return new Uint8Array(rows.buffer)
}

/** Radix sort by high word, then a sort of each run of equal high words (nearly always one) by low word and node. */
function tableOrder({ high, low, nodes }: IdTableEntries): Uint32Array {
  const byDigit = sortByDigit(
    Uint32Array.from(high, (_, i) => i),
    high,
    0,
  )
  const order = sortByDigit(byDigit, high, DIGIT_BITS)
  for (let start = 0; start < order.length;) {
    let end = start + 1
    while (end < order.length && high[order[end]] === high[order[start]]) end++
    if (end - start > 1) order.subarray(start, end).sort((a, b) => low[a] - low[b] || nodes[a] - nodes[b])
    start = end
  }
  return order
}

/** A stable counting sort of `order` by 16 bits of `keys`. */
function sortByDigit(order: Uint32Array, keys: Uint32Array, shift: number): Uint32Array {
  const nextPlace = new Uint32Array(DIGIT_MASK + 2)
  for (let i = 0; i < order.length; i++) nextPlace[((keys[order[i]] >>> shift) & DIGIT_MASK) + 1]++
  for (let digit = 1; digit < nextPlace.length; digit++) nextPlace[digit] += nextPlace[digit - 1]
  const sorted = new Uint32Array(order.length)
  for (let i = 0; i < order.length; i++) sorted[nextPlace[(keys[order[i]] >>> shift) & DIGIT_MASK]++] = order[i]
  return sorted
}

/** The table as words, four to a row (a copy only when `bytes` is not 4-byte aligned). @throws CorruptIndexError */
export function idTableView(bytes: Uint8Array, path: string): Uint32Array {
  if (bytes.length % ID_TABLE_STRIDE_BYTES !== 0) {
    throw new CorruptIndexError(path, `${bytes.length} bytes are not whole rows of ${ID_TABLE_STRIDE_BYTES}`)
  }
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}

/**
 * The nodes whose id has this hash, ascending: none, one, or (once in 10^19 pairs of ids) more. The caller compares
 * ids.
 */
export function findNodesByHash(table: Uint32Array, high: number, low: number): number[] {
  let from = 0
  let to = table.length / ROW_WORDS
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    const at = middle * ROW_WORDS
    if (table[at] < high || (table[at] === high && table[at + 1] < low)) from = middle + 1
    else to = middle
  }
  const nodes: number[] = []
  for (let at = from * ROW_WORDS; table[at] === high && table[at + 1] === low; at += ROW_WORDS)
    nodes.push(table[at + 2])
  return nodes
}
