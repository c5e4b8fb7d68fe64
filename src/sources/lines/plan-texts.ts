/** What the text formats share: texts in blocks, a parser of one text, and rows gathered into batches. */
import { InvalidFileError } from '../../errors.js'
import type { ByteReader } from '../bytes/byte-reader.js'
import { plainText } from '../bytes/plain-text.js'
import type { LineBlock } from './line-blocks.js'
import { RowGatherer, type LineRecord } from './row-gatherer.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import type { FieldType } from '../../api/fields.js'
import { schemaOf } from '../fields/wanted-fields.js'

/** The place of a text, for messages. */
export interface TextPlace {
  readonly path: string
  /** Such as 'line 7'. */
  readonly name: string
  readonly offset: number
}

export interface TextFormat {
  readonly blocks: (text: ByteReader) => AsyncGenerator<LineBlock, void, void>
  /** The parser of one pass, which is given every text in order. No record for a blank text. */
  readonly parser: () => (text: string, place: TextPlace) => readonly LineRecord[]
  /** The fields that its records have. */
  readonly fields?: readonly { readonly name: string; readonly type: FieldType }[]
}

/** Count and dimensions are unknown until the text is read. It may be compressed with gzip or zstd. */
export function planTexts({ blocks, parser, fields }: TextFormat, { invalid = 'error' }: ReadOptions): ReadPlan {
  const names = fields?.map(({ name }) => name)
  return {
    count: undefined,
    dimensions: undefined,
    ...(fields && { fields: schemaOf(fields) }),
    async *batches(bytes, startAt) {
      let skip = startAt
      const rows = new RowGatherer(bytes.path, names)
      const parse = parser()
      const text = await plainText(bytes)
      try {
        for await (const block of blocks(text)) {
          for (let i = 0; i < block.texts.length; i++) {
            const place = placeOf(bytes.path, block, i)
            for (const record of parse(block.texts[i], place)) {
              if (record.failure !== undefined && invalid === 'error') throw refusal(place, record)
              if (skip-- > 0) rows.leaveOut(record)
              else yield* rows.add(record)
            }
          }
        }
        yield* rows.end()
      } catch (error) {
        // The rows before the bad one are good, and a caller that resumes or counts needs them.
        if (rows.count > 0) yield rows.take()
        throw error
      } finally {
        await text.close()
      }
    },
  }
}

function placeOf(path: string, { offsets, numbers, firstNumber, what = 'line' }: LineBlock, i: number): TextPlace {
  return { path, name: `${what} ${numbers?.[i] ?? firstNumber + i}`, offset: offsets[i] }
}

function refusal({ path, name, offset }: TextPlace, { failure = '', refusal }: LineRecord): InvalidFileError {
  const reason = refusal === undefined ? ` ${failure};` : `${refusal}, or`
  const fix = "pass invalid: 'skip' (--invalid skip) to leave out such rows"
  return new InvalidFileError(path, `${name}${reason} ${fix}`, { offset })
}

/** An error at the place of a text. */
export function refuseText({ path, name, offset }: TextPlace, reason: string, cause?: unknown): InvalidFileError {
  return new InvalidFileError(path, `${name} ${reason}`, { offset, cause })
}
