/** Checks the items of a source before any of them is copied. */
import { MAX_DIMENSIONS } from '../../options/limits.js'
import type { GivenBatch, SourceItem } from '../../api/vectors.js'
import { InvalidOptionError, InvalidVectorError } from '../../errors.js'
import { isFloat32Array } from '../../runtime/realms.js'
import { givenVector } from '../../rows/given-vector.js'
import { kindOf } from '../../wording/value-kind.js'
import type { Uses } from '../run/run.js'

const FORMS = 'a record is { id?, vector }, a batch is { ids?, vectors: Float32Array, dimensions }'

/** Distinguishes batches from records, and rejects anything else: untyped programs can pass any value. */
export function isBatch(item: unknown, ordinal: number): item is GivenBatch {
  if (typeof item !== 'object' || item === null) throw notAnItem(item, ordinal)
  if (!('vectors' in item)) {
    if ('vector' in item) return false
    throw notAnItem(item, ordinal)
  }
  const { vectors, dimensions, ids } = item as { vectors: unknown; dimensions?: unknown; ids?: unknown }
  if (!isFloat32Array(vectors)) {
    const fix = ArrayBuffer.isView(vectors) ? ': pass new Float32Array(new Uint8Array(vectors).buffer) for bytes' : ''
    throw refused(ordinal, `begins a batch whose vectors are ${kindOf(vectors)}, expected a Float32Array${fix}`)
  }
  if (typeof dimensions !== 'number') {
    throw refused(ordinal, `begins a batch with ${kindOf(dimensions)} as dimensions, expected a number`)
  }
  if (ids !== undefined && !Array.isArray(ids) && !ArrayBuffer.isView(ids)) {
    throw refused(ordinal, `begins a batch with ${kindOf(ids)} as ids, expected an array`)
  }
  return true
}

/** How many vectors a batch has; `first` is the ordinal of the first. @throws InvalidOptionError */
export function rowsOfBatch({ vectors, dimensions, ids }: GivenBatch, first: number): number {
  const count = vectors.length / dimensions
  if (Number.isInteger(count) && (ids === undefined || ids.length === count)) return count
  throw new InvalidOptionError(
    `a batch at vector ${first} has ${vectors.length} numbers for ${dimensions} dimensions` +
      (ids === undefined ? '' : ` and ${ids.length} ids`),
  )
}

/** A record or a batch; the ordinal is that of the vector. */
function notAnItem(item: unknown, ordinal: number): InvalidVectorError {
  const isObject = typeof item === 'object' && item !== null && !Array.isArray(item) && !ArrayBuffer.isView(item)
  const fields = isObject ? ` with the fields ${Object.keys(item).slice(0, 10).join(', ') || '(none)'}` : ''
  return refused(ordinal, `is ${kindOf(item)}${fields}: ${FORMS}`)
}

function refused(ordinal: number, reason: string): InvalidVectorError {
  return new InvalidVectorError({ ordinal, reason, invalidOption: false })
}

/** The dimensions of the index: those of the options, else those of the first item. */
export function firstDimensions({ options }: Uses<'options'>, item: SourceItem): number {
  const got = isBatch(item, 0) ? item.dimensions : vectorOf(item, 0, options.dimensions).length
  if (!(Number.isInteger(got) && got >= 1 && got <= MAX_DIMENSIONS)) {
    throw refused(0, `has ${got} dimensions; 1 to ${MAX_DIMENSIONS} can be indexed`)
  }
  return options.dimensions ?? got
}

/** The components of the item's vector. `dimensions` of the index, where they are known. */
export function vectorOf(item: SourceItem, ordinal: number, dimensions: number | undefined): ArrayLike<number> {
  const vector = givenVector('vector' in item ? item.vector : undefined, dimensions)
  if (typeof vector === 'string') throw refused(ordinal, vector)
  return vector
}
