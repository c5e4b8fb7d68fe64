/** What a filter asks of a field of keywords, as codes of its dictionary. */
import type { InLeaf, RangeLeaf } from '../../../fields/filter-node.js'
import type { Dictionary } from '../../../format/fields/dictionary.js'

/** Codes from `low` to `high`, both included. */
export interface CodeRange {
  readonly low: number
  readonly high: number
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** The codes of a leaf as ranges, ascending and apart; none when no row can match. @throws CorruptIndexError */
export function codeRanges(dictionary: Dictionary, leaf: InLeaf | RangeLeaf): CodeRange[] {
  return leaf.op === 'in' ? codesIn(dictionary, leaf.values as readonly string[]) : codesBetween(dictionary, leaf)
}

function codesIn(dictionary: Dictionary, values: readonly string[]): CodeRange[] {
  const codes = values.map((value) => dictionary.codeOf(utf8(value))).filter((code) => code >= 0)
  const ranges: CodeRange[] = []
  for (const code of codes.sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && code <= last.high + 1) ranges[ranges.length - 1] = { low: last.low, high: code }
    else ranges.push({ low: code, high: code })
  }
  return ranges
}

function codesBetween(dictionary: Dictionary, { low, high, lowIncluded, highIncluded }: RangeLeaf): CodeRange[] {
  const from = low === undefined ? 0 : boundOf(dictionary, low as string, !lowIncluded)
  const to = high === undefined ? dictionary.size : boundOf(dictionary, high as string, highIncluded)
  return from < to ? [{ low: from, high: to - 1 }] : []
}

/** The first code whose keyword is not before `text`; with `beyond`, the first that is after it. */
function boundOf(dictionary: Dictionary, text: string, beyond: boolean): number {
  const key = utf8(text)
  const code = dictionary.lowerBound(key)
  return beyond && code < dictionary.size && dictionary.codeOf(key) === code ? code + 1 : code
}

/** A bit for each code in the ranges, and a word of zeros behind them: the form that `keepCodesOf` takes. */
export function codeBits(size: number, ranges: readonly CodeRange[]): Uint32Array {
  const bits = new Uint32Array(Math.ceil(size / 32) + 1)
  for (const { low, high } of ranges) for (let code = low; code <= high; code++) bits[code >>> 5] |= 1 << (code & 31)
  return bits
}
