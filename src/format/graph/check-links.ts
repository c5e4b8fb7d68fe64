/** Checks rows of links: a count, that many targets, then zeros. */
import { CorruptIndexError } from '../../errors.js'
import { SEGMENT_HEADER_BYTES } from '../segment/segment-header.js'
import { linksStrideBytes } from '../segment/segment-file.js'

/**
 * The first broken rule of the row at `words[at]`, as a sentence; undefined when the row is sound: at most `maxLinks`
 * targets, each below `targetCount`, none `self`, none twice.
 */
export function linkRowProblem(
  words: Uint32Array,
  at: number,
  row: { readonly maxLinks: number; readonly targetCount: number; readonly self: number },
): string | undefined {
  const { maxLinks, targetCount, self } = row
  const count = words[at]
  if (count > maxLinks) return `${count} links, at most ${maxLinks} fit`
  const first = at + 1
  const end = first + count
  for (let i = first; i < end; i++) {
    const target = words[i]
    if (target >= targetCount) return `link ${i - first} leads to ${target}, of ${targetCount}`
    if (target === self) return `link ${i - first} leads to itself`
    for (let j = first; j < i; j++) {
      if (words[j] === target) return `links ${j - first} and ${i - first} both lead to ${target}`
    }
  }
  for (let i = end; i < first + maxLinks; i++) {
    if (words[i] !== 0) return `unused link ${i - first} is ${words[i]}, not 0`
  }
  return undefined
}

/**
 * The first row whose links a search must not follow: more than `maxLinks` links, or a link to no node. Undefined when
 * there is none. Cheap enough to run whenever an index is opened: the rules of `linkRowProblem` that it leaves out
 * (repeats, links to itself, unused words) only cost search time.
 */
export function firstUnsafeRow(words: Uint32Array, maxLinks: number, targetCount: number): number | undefined {
  const rowWords = 1 + maxLinks
  for (let at = 0; at < words.length; at += rowWords) {
    const end = at + 1 + words[at]
    if (words[at] > maxLinks) return at / rowWords
    for (let i = at + 1; i < end; i++) if (words[i] >= targetCount) return at / rowWords
  }
  return undefined
}

/**
 * Checks the rows of the nodes from `firstNode` on, from a links segment that begins with node `segmentStart`.
 * `findUnsafe` has the contract of `firstUnsafeRow`.
 * @throws CorruptIndexError for the first row that leads out of the graph, with the row's offset in the file
 */
export function assertSafeLinks(
  rows: Uint8Array,
  of: {
    readonly path: string
    readonly segmentStart: number
    readonly firstNode: number
    readonly m: number
    readonly count: number
  },
  findUnsafe: typeof firstUnsafeRow = firstUnsafeRow,
): void {
  const { path, segmentStart, firstNode, m, count } = of
  const words = new Uint32Array(rows.buffer, rows.byteOffset, rows.length / 4)
  const row = findUnsafe(words, 2 * m, count)
  if (row === undefined) return
  const node = firstNode + row
  const problem = linkRowProblem(words, row * (1 + 2 * m), { maxLinks: 2 * m, targetCount: count, self: node })
  const offset = SEGMENT_HEADER_BYTES + (node - segmentStart) * linksStrideBytes(m)
  throw new CorruptIndexError(path, `node ${node}: ${problem}`, { offset })
}
