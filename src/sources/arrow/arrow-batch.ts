/** The vectors of one record batch, in slices of rows; holds only the slice. */
import type { InvalidFileError } from '../../errors.js'
import type { ArrowBuffers } from './arrow-buffers.js'
import type { ArrowColumn, ArrowList } from './arrow-columns.js'
import { missingVector, wrongLength } from '../tables/list-rows.js'

/** The vectors of a slice, up to the first list that is not a vector. */
export interface VectorSlice {
  readonly vectors: Float32Array
  readonly failure: InvalidFileError | undefined
}

export interface VectorRange {
  readonly row: number
  readonly count: number
  /** The batch's first row in the file, for messages. */
  readonly firstRow: number
  readonly dimensions: number
  /** True: null and empty lists become rows of NaN. */
  readonly skip: boolean
}

const OFFSETS_AT_ONCE = 4096
/** Null lists may have values, which are not read. Limits these, as a multiple of the values of all lists. */
const MAX_UNDER_NULL = 4

/** The length of the first list that is not null or empty; 0 when there is none. */
export async function firstListLength(batch: ArrowBuffers, column: ArrowColumn, list: ArrowList): Promise<number> {
  if (list.offsetBytes === 0) return list.size
  for (let row = 0; row < batch.rows; row += OFFSETS_AT_ONCE) {
    const offsets = await batch.offsets(column, list.offsetBytes, row, Math.min(OFFSETS_AT_ONCE, batch.rows - row))
    for (let i = 1; i < offsets.length; i++) if (offsets[i] > offsets[i - 1]) return offsets[i] - offsets[i - 1]
  }
  return 0
}

/** `count` rows from `row` on. */
export async function arrowVectors(
  batch: ArrowBuffers,
  column: ArrowColumn,
  list: ArrowList,
  range: VectorRange,
): Promise<VectorSlice> {
  const { row, count, dimensions } = range
  const lists = await batch.validity(column, { level: 0, place: 0, from: row, count })
  const offsets =
    list.offsetBytes === 0
      ? Float64Array.from({ length: count + 1 }, (_, i) => (row + i) * dimensions)
      : await batch.offsets(column, list.offsetBytes, row, count)
  const { usable, missing, failure } = usableLists(batch.path, lists, offsets, range)
  const [from, to] = [offsets[0], offsets[usable]]
  // Null lists may have values too.
  if (to - from > count * MAX_UNDER_NULL * dimensions) throw batch.damaged('lists with too many values')
  const values = await listValues(batch, column, list, from, to - from)
  const place = list.offsetBytes === 0 ? 1 : 2
  const items = await batch.validity(column, { level: 1, place, from, count: to - from })
  if (missing === undefined && items === undefined) return { vectors: values, failure }
  return withMissing({ path: batch.path, values, items, missing, offsets, usable, failure, range })
}

interface UsableLists {
  /** Lists before the first that is not a vector. */
  readonly usable: number
  /** Byte 1 for each list that is null or empty; undefined when none is. */
  readonly missing: Uint8Array | undefined
  readonly failure: InvalidFileError | undefined
}

function usableLists(
  path: string,
  lists: Uint8Array | undefined,
  offsets: Float64Array,
  { row, count, firstRow, dimensions, skip }: VectorRange,
): UsableLists {
  let missing: Uint8Array | undefined
  for (let i = 0; i < count; i++) {
    const length = offsets[i + 1] - offsets[i]
    const isNull = lists !== undefined && lists[i] === 0
    if (isNull || length === 0) {
      if (!skip) return { usable: i, missing, failure: missingVector(path, firstRow + row + i, isNull) }
      missing ??= new Uint8Array(count)
      missing[i] = 1
    } else if (length !== dimensions) {
      return { usable: i, missing, failure: wrongLength(path, firstRow + row + i, length, dimensions) }
    }
  }
  return { usable: count, missing, failure: undefined }
}

async function listValues(
  batch: ArrowBuffers,
  column: ArrowColumn,
  { values, offsetBytes }: ArrowList,
  from: number,
  count: number,
): Promise<Float32Array> {
  const { buffer } = await batch.read(column, offsetBytes === 0 ? 2 : 3, from * values.bytes, count * values.bytes)
  if (values.widen === undefined) return new Float32Array(buffer)
  const into = new Float32Array(count)
  values.widen(buffer, count, into)
  return into
}

interface SliceParts extends UsableLists {
  readonly path: string
  readonly values: Float32Array
  readonly items: Uint8Array | undefined
  readonly offsets: Float64Array
  readonly range: VectorRange
}

function withMissing({ path, values, items, missing, offsets, usable, failure, range }: SliceParts): VectorSlice {
  const { row, firstRow, dimensions, skip } = range
  const vectors = new Float32Array(usable * dimensions)
  for (let i = 0; i < usable; i++) {
    const from = offsets[i] - offsets[0]
    const into = vectors.subarray(i * dimensions, (i + 1) * dimensions)
    if (missing?.[i] === 1) {
      into.fill(NaN)
    } else if (items !== undefined && hasUnset(items, from, from + dimensions)) {
      if (!skip) {
        return { vectors: vectors.subarray(0, i * dimensions), failure: missingVector(path, firstRow + row + i, true) }
      }
      into.fill(NaN)
    } else {
      into.set(values.subarray(from, from + dimensions))
    }
  }
  return { vectors, failure }
}

function hasUnset(validity: Uint8Array, from: number, to: number): boolean {
  const at = validity.indexOf(0, from)
  return at >= 0 && at < to
}
