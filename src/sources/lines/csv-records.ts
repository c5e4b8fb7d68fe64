/** Splits CSV and TSV into records and fields (RFC 4180): a field in quotes may have delimiters and line ends in it. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { lineBlocks, type LineBlock } from './line-blocks.js'

const QUOTE = '"'
const DELIMITERS = [',', ';', '\t']

/**
 * Blocks of records without their line ends. Holds what `lineBlocks` holds, and one record of at most `maxBytes`.
 * @throws InvalidFileError when a quote has no end, after all records before it are yielded
 */
export async function* csvBlocks(
  bytes: ByteReader,
  delimiter: string | undefined,
  maxBytes: number,
): AsyncGenerator<LineBlock, void, void> {
  let open: { parts: string[]; length: number; number: number; offset: number } | undefined
  const refuse = (reason: string): InvalidFileError =>
    new InvalidFileError(bytes.path, `line ${open?.number} ${reason}`, { offset: open?.offset })
  for await (const { texts, offsets, firstNumber } of lineBlocks(bytes, maxBytes)) {
    const block = { texts: [] as string[], offsets: [] as number[], numbers: [] as number[], firstNumber }
    for (let i = 0; i < texts.length; i++) {
      const line = texts[i].endsWith('\r') ? texts[i].slice(0, -1) : texts[i]
      delimiter ??= delimiterOf(line)
      const isOpen = endsInQuotes(line, delimiter, open !== undefined)
      open ??= { parts: [], length: 0, number: firstNumber + i, offset: offsets[i] }
      open.parts.push(line)
      open.length += line.length
      if (open.length > maxBytes) {
        if (block.texts.length > 0) yield block
        throw refuse(`has a quote without an end within ${maxBytes} characters`)
      }
      if (isOpen) continue
      block.texts.push(open.parts.join('\n'))
      block.offsets.push(open.offset)
      block.numbers.push(open.number)
      open = undefined
    }
    if (block.texts.length > 0) yield block
  }
  if (open !== undefined) throw refuse('has a quote without an end')
}

/** The delimiter that is most often outside of quotes and brackets. */
export function delimiterOf(line: string): string {
  const bare = line.replace(/"[^"]*"|\[[^\]]*\]|\{[^}]*\}/g, '')
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))]
}

/** Whether a quote is open at the end of a line, which begins inside of one or not. */
function endsInQuotes(line: string, delimiter: string, isOpen: boolean): boolean {
  for (let at = line.indexOf(QUOTE); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    if (!isOpen) {
      // A quote inside of a bare field is a character like others.
      isOpen = at === 0 || line[at - 1] === delimiter
    } else if (line[at + 1] === QUOTE) {
      at++
    } else {
      isOpen = false
    }
  }
  return isOpen
}

/** The fields of a record; undefined when something follows a quote's end. */
export function fieldsOf(record: string, delimiter: string): string[] | undefined {
  if (!record.includes(QUOTE)) return record.split(delimiter)
  const fields: string[] = []
  for (let at = 0; ;) {
    let end: number
    if (record[at] === QUOTE) {
      const close = closingQuote(record, at + 1)
      fields.push(record.slice(at + 1, close).replaceAll('""', QUOTE))
      end = close + 1
      if (end < record.length && record[end] !== delimiter) return undefined
    } else {
      const next = record.indexOf(delimiter, at)
      end = next < 0 ? record.length : next
      fields.push(record.slice(at, end))
    }
    if (end >= record.length) return fields
    at = end + 1
  }
}

function closingQuote(record: string, from: number): number {
  let at = record.indexOf(QUOTE, from)
  while (at >= 0 && record[at + 1] === QUOTE) at = record.indexOf(QUOTE, at + 2)
  return at < 0 ? record.length : at
}
