/**
 * Word vectors as text (GloVe, word2vec, fastText): a word and its numbers on each line, with blanks between them. The
 * first line may have the number of words and of dimensions. The words are the ids.
 */
import { InvalidFileError } from '../../errors.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'
import { readFully, type ByteReader } from '../bytes/byte-reader.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import { lineBlocks } from './line-blocks.js'
import { planTexts, refuseText, type TextPlace } from './plan-texts.js'
import type { LineRecord } from './row-gatherer.js'
import { isNumber, numberOf } from './vector-text.js'

const MAX_LINE_BYTES = 4 * 1024 * 1024
const HEADER = /^(\d{1,12}) (\d{1,5})\r?\n/
const HEADER_BYTES = 24

/** Words and dimensions of a file that begins with them. */
export function wordsHeader(head: Uint8Array): { count: number; dimensions: number; bytes: number } | undefined {
  const found = HEADER.exec(Buffer.from(head.subarray(0, HEADER_BYTES)).toString('latin1'))
  if (found === null) return undefined
  const [count, dimensions] = [Number(found[1]), Number(found[2])]
  return dimensions >= 1 && dimensions <= MAX_DIMENSIONS ? { count, dimensions, bytes: found[0].length } : undefined
}

/** Whether a text begins with a word and at least two numbers in one line. */
export function beginsWithWord(text: string): boolean {
  const [line] = text.split('\n', 1)
  const fields = line.trimEnd().split(' ')
  // The last one may be cut.
  const numbers = line.length < text.length ? fields.slice(1) : fields.slice(1, -1)
  return numbers.length >= 2 && !isNumber(fields[0]) && numbers.every(isNumber)
}

/** @throws InvalidFileError at a line with another number of numbers, or when words are missing at the end */
export async function planWordVectors(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  const head = new Uint8Array(HEADER_BYTES)
  const header = wordsHeader(head.subarray(0, await readFully(bytes, head, 0)))
  const plan = planTexts({ blocks: (text) => lineBlocks(text, MAX_LINE_BYTES), parser: wordParser }, options)
  if (header === undefined) return plan
  const { count, dimensions } = header
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      let row = startAt
      for await (const batch of plan.batches(pass, startAt)) {
        row += batch.vectors.length / batch.dimensions
        yield batch
      }
      if (row === count || startAt >= count) return
      const reason = row < count ? 'it is truncated' : 'it is longer than its first line says'
      throw new InvalidFileError(pass.path, `${reason}: it has ${row} words, expected ${count}`)
    },
  }
}

function wordParser(): (line: string, place: TextPlace) => readonly LineRecord[] {
  let dimensions = 0
  let isFirst = true
  return (line, place) => {
    const header = isFirst ? HEADER.exec(`${line}\n`) : null
    isFirst = false
    if (header !== null) {
      dimensions = Number(header[2])
      return []
    }
    const text = line.trimEnd()
    if (text === '') return []
    const fields = text.split(' ')
    if (dimensions === 0) dimensions = numbersAtEnd(fields)
    // A word may have blanks in it: its numbers are the last ones.
    const from = fields.length - dimensions
    if (dimensions === 0 || from < 1) {
      throw refuseText(place, `has ${fields.length - 1} numbers after its word, expected ${dimensions || 'some'}`)
    }
    const vector = new Float32Array(dimensions)
    for (let i = 0; i < dimensions; i++) {
      const number = fields[from + i]
      if (!isNumber(number)) throw refuseText(place, `has ${JSON.stringify(number.slice(0, 40))}, expected a number`)
      vector[i] = numberOf(number)
    }
    return [{ id: fields.slice(0, from).join(' '), vector }]
  }
}

function numbersAtEnd(fields: readonly string[]): number {
  let count = 0
  while (count < fields.length - 1 && isNumber(fields[fields.length - 1 - count])) count++
  return Math.min(count, MAX_DIMENSIONS)
}
