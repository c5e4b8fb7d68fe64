/**
 * The levels above 0 as bytes: u32 level count, then for each level from 1 upwards: u32 count, nodes u32[count],
 * down u32[count], links u32[count][1 + m]. Little-endian.
 */
import { CorruptIndexError } from '../../errors.js'
import { firstUpperProblem, type SafetyChecks } from './check-upper.js'
import type { UpperLevel } from './upper-level.js'

/** m ≥ 2 at least halves every level, so there are at most as many levels as bits in a node number. */
export const MAX_LEVELS = 32

/** `levels[0]` is level 1. */
export function encodeUpper(levels: readonly UpperLevel[]): Uint8Array {
  const wordCount = levels.reduce((sum, { nodes, links }) => sum + 1 + 2 * nodes.length + links.length, 1)
  const words = new Uint32Array(wordCount)
  words[0] = levels.length
  let at = 1
  for (const { nodes, down, links } of levels) {
    if (down.length !== nodes.length || (nodes.length > 0 && links.length % nodes.length !== 0)) {
      throw new RangeError(`a level of ${nodes.length} nodes has ${down.length} down and ${links.length} link words`)
    }
    words[at++] = nodes.length
    for (const part of [nodes, down, links]) {
      words.set(part, at)
      at += part.length
    }
  }
  return new Uint8Array(words.buffer)
}

/**
 * The levels as views of `bytes` (a copy only when `bytes` is not 4-byte aligned). Lengths are checked, contents not.
 */
export function parseUpper(bytes: Uint8Array, m: number, path: string): UpperLevel[] {
  const corrupt = (reason: string, word: number): CorruptIndexError =>
    new CorruptIndexError(path, `upper levels: ${reason} (data byte ${4 * word})`)
  if (bytes.length < 4 || bytes.length % 4 !== 0) throw corrupt(`${bytes.length} bytes are not whole words`, 0)
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
  if (words[0] > MAX_LEVELS) throw corrupt(`${words[0]} levels, expected at most ${MAX_LEVELS}`, 0)
  const levels: UpperLevel[] = []
  let at = 1
  for (let level = 1; level <= words[0]; level++) {
    if (at >= words.length) throw corrupt(`level ${level} of ${words[0]} is missing`, at)
    const count = words[at]
    const end = at + 1 + count * (3 + m)
    if (end > words.length) throw corrupt(`level ${level} with ${count} nodes runs past the end`, at)
    const nodesAt = at + 1
    levels.push({
      nodes: words.subarray(nodesAt, nodesAt + count),
      down: words.subarray(nodesAt + count, nodesAt + 2 * count),
      links: words.subarray(nodesAt + 2 * count, end),
    })
    at = end
  }
  if (at !== words.length) throw corrupt(`${words.length - at} words follow the last level`, at)
  return levels
}

/**
 * The levels of an index of `count` nodes and `m` links. Checks every word that a search follows.
 * @throws CorruptIndexError
 */
export function decodeUpper(
  bytes: Uint8Array,
  shape: { count: number; m: number; path: string },
  checks?: SafetyChecks,
): UpperLevel[] {
  const levels = parseUpper(bytes, shape.m, shape.path)
  const problem = firstUpperProblem(levels, shape, checks)
  if (problem !== undefined) throw new CorruptIndexError(shape.path, problem)
  return levels
}
