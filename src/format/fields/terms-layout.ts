/**
 * The layout of a terms file: entries in blocks, an index of the blocks, a tail. An entry is `[u8 bytes shared with the
 * term before][u8 other bytes][these][varint documents][varint bytes of postings]`; the first of a block shares none.
 */

export const TERMS_PER_BLOCK = 32

/** Of a block in the index: u64 where it begins among the entries, u64 where its first postings begin. */
export const BLOCK_ENTRY_BYTES = 16

/** u64 each: terms, bytes of entries, bytes of postings, documents, tokens. */
export const TERMS_TAIL_BYTES = 40

/** Longest entry: both lengths, a term, two varints. */
export const MAX_ENTRY_BYTES = 2 + 255 + 10

/** What the tail says. */
export interface TermsTail {
  /** Different terms. */
  readonly terms: number
  readonly entriesBytes: number
  readonly postingsBytes: number
  /** Nodes that have a text, an empty one too. */
  readonly documents: number
  /** Terms in all texts, repeated ones too. */
  readonly tokens: number
}

export const blocksOf = (terms: number): number => Math.ceil(terms / TERMS_PER_BLOCK)

export function encodeTail(tail: TermsTail): Uint8Array {
  const bytes = new Uint8Array(TERMS_TAIL_BYTES)
  const view = new DataView(bytes.buffer)
  const { terms, entriesBytes, postingsBytes, documents, tokens } = tail
  for (const [at, value] of [terms, entriesBytes, postingsBytes, documents, tokens].entries()) {
    view.setBigUint64(8 * at, BigInt(value), true)
  }
  return bytes
}

/** A u64; above 2^53 Infinity, which no check accepts. */
export function sizeAt(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true)
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value)
}

export function decodeTail(bytes: Uint8Array): TermsTail {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [terms, entriesBytes, postingsBytes, documents, tokens] = [0, 8, 16, 24, 32].map((at) => sizeAt(view, at))
  return { terms, entriesBytes, postingsBytes, documents, tokens }
}
