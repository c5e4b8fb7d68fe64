/** The ids in a column of a record batch: text, views of text, integers, UUIDs, or numbers of values in a dictionary. */
import { integerId } from '../../api/integer-id.js'
import type { Id } from '../../api/vectors.js'
import type { ArrowBuffers } from './arrow-buffers.js'
import type { ArrowPlace, ArrowInteger, ArrowPlainIds } from './arrow-columns.js'
import { uuidText } from '../tables/uuid-text.js'
import { viewTexts } from './arrow-views.js'

const MAX_TEXT_BYTES = 64 * 1024 * 1024
const UUID_BYTES = 16

type ArrowIntegers =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array

export interface RowRange {
  readonly row: number
  readonly count: number
}

/** @throws InvalidFileError at a null, an integer that is not exact, or text that is not UTF-8 */
export async function plainIds(
  batch: ArrowBuffers,
  column: ArrowPlace,
  shape: ArrowPlainIds,
  range: RowRange,
): Promise<Id[]> {
  await refuseNulls(batch, column, range)
  if (shape.kind === 'integer') return integerIds(batch, column, shape, range)
  if (shape.kind === 'uuid') return uuids(batch, column, range)
  return decoded(batch, column, await arrowTexts(batch, column, shape, range))
}

/** The bytes of each row's text. */
export function arrowTexts(
  batch: ArrowBuffers,
  column: ArrowPlace,
  shape: { readonly kind: 'text'; readonly offsetBytes: 4 | 8 } | { readonly kind: 'view' },
  range: RowRange,
): Promise<Uint8Array[]> {
  return shape.kind === 'view' ? viewTexts(batch, column, range) : plainTexts(batch, column, shape, range)
}

async function refuseNulls(batch: ArrowBuffers, column: ArrowPlace, { row, count }: RowRange): Promise<void> {
  const validity = await batch.validity(column, { level: 0, place: 0, from: row, count })
  if (validity?.includes(0) !== true) return
  throw batch.damaged(`a null in its column ${JSON.stringify(column.name)}, expected an id in every row:`)
}

async function plainTexts(
  batch: ArrowBuffers,
  column: ArrowPlace,
  { offsetBytes }: { readonly offsetBytes: 4 | 8 },
  { row, count }: RowRange,
): Promise<Uint8Array[]> {
  const offsets = await batch.offsets(column, offsetBytes, row, count)
  const [from, to] = [offsets[0], offsets[count]]
  if (to - from > MAX_TEXT_BYTES) throw batch.damaged(`${to - from} bytes of text in ${count} rows`)
  const text = await batch.read(column, 2, from, to - from)
  return Array.from({ length: count }, (_, i) => text.subarray(offsets[i] - from, offsets[i + 1] - from))
}

function decoded(batch: ArrowBuffers, column: ArrowPlace, texts: readonly Uint8Array[]): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return texts.map((text) => decoder.decode(text))
  } catch (cause) {
    throw batch.damaged(`text that is not UTF-8 in its column ${JSON.stringify(column.name)}:`, cause)
  }
}

async function uuids(batch: ArrowBuffers, column: ArrowPlace, { row, count }: RowRange): Promise<string[]> {
  const bytes = await batch.read(column, 1, row * UUID_BYTES, count * UUID_BYTES)
  return Array.from({ length: count }, (_, i) => uuidText(bytes.subarray(i * UUID_BYTES, (i + 1) * UUID_BYTES)))
}

async function integerIds(
  batch: ArrowBuffers,
  column: ArrowPlace,
  shape: ArrowInteger,
  range: RowRange,
): Promise<Id[]> {
  return Array.from<number | bigint, Id>(await arrowIntegers(batch, column, shape, range), (value) =>
    typeof value === 'bigint' ? integerId(value) : value,
  )
}

export async function arrowIntegers(
  batch: ArrowBuffers,
  column: ArrowPlace,
  { bytes, signed }: ArrowInteger,
  { row, count }: RowRange,
): Promise<ArrowIntegers> {
  const { buffer } = await batch.read(column, 1, row * bytes, count * bytes)
  const words = {
    1: signed ? Int8Array : Uint8Array,
    2: signed ? Int16Array : Uint16Array,
    4: signed ? Int32Array : Uint32Array,
    8: signed ? BigInt64Array : BigUint64Array,
  }[bytes]
  return new words(buffer)
}

/** The ids of rows that are numbers of values in `dictionary`. */
export async function dictionaryIds(
  batch: ArrowBuffers,
  column: ArrowPlace,
  index: ArrowInteger,
  { dictionary, ...range }: RowRange & { readonly dictionary: readonly Id[] },
): Promise<Id[]> {
  await refuseNulls(batch, column, range)
  return Array.from<number | bigint, Id>(await arrowIntegers(batch, column, index, range), (value) => {
    const place = Number(value)
    const id = place < 0 ? undefined : dictionary.at(place)
    if (id !== undefined) return id
    throw batch.damaged(`the number ${value} in a dictionary of ${dictionary.length} values:`)
  })
}

/** Most values of a dictionary, which is held whole. */
const MAX_DICTIONARY = 4_000_000

/** The ids that a message of a dictionary has. @throws InvalidFileError when it is too large to be held */
export async function dictionaryValues(
  batch: ArrowBuffers,
  column: ArrowPlace,
  shape: ArrowPlainIds,
  held: number,
): Promise<Id[]> {
  checkDictionarySize(batch, column, held)
  return plainIds(batch, { ...column, node: 0, buffer: 0, views: 0 }, shape, { row: 0, count: batch.rows })
}

/** `held`: values of the dictionary from earlier messages. @throws InvalidFileError */
export function checkDictionarySize(batch: ArrowBuffers, { name }: ArrowPlace, held: number): void {
  if (held + batch.rows <= MAX_DICTIONARY) return
  const has = `a dictionary of ${held + batch.rows} values for its column ${JSON.stringify(name)}`
  throw batch.damaged(`${has}, expected at most ${MAX_DICTIONARY}; cast the column to text:`)
}
