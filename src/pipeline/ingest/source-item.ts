import { MAX_DIMENSIONS } from '../../options/limits.js'
import type { VectorBatch, SourceItem } from '../../api/vectors.js'
import { InvalidVectorError } from '../../errors.js'
import type { Uses } from '../run/run.js'
import { isFloat32Array, kindOf } from '../../realms.js'

/** Checks the items of a source before any of them is copied. */
/** Distinguishes batches from records, and rejects anything else: untyped programs can pass any value. */
export function isBatch(item: unknown, ordinal: number): item is VectorBatch {
  if (typeof item !== 'object' || item === null) throw notAnItem(ordinal)
  if (!('vectors' in item)) return false
  if (!isFloat32Array(item.vectors) || !('dimensions' in item)) throw notAnItem(ordinal)
  return true
}

function notAnItem(ordinal: number): InvalidVectorError {
  return new InvalidVectorError({
    ordinal,
    reason:
      'is not an array of numbers: a record is { id?, vector }, a batch is { ids?, vectors: Float32Array, dimensions }',
    invalidOption: false,
  })
}

/** The dimensions of the index: those of the options, else those of the first item. */
export function firstDimensions({ options }: Uses<'options'>, item: SourceItem): number {
  const got = isBatch(item, 0) ? item.dimensions : vectorLength(item, 0)
  if (!(Number.isInteger(got) && got >= 1 && got <= MAX_DIMENSIONS)) {
    throw new InvalidVectorError({
      ordinal: 0,
      reason: `has ${got} dimensions; 1 to ${MAX_DIMENSIONS} can be indexed`,
      invalidOption: false,
    })
  }
  return options.dimensions ?? got
}

/**
 * The length of the item's vector. A plain array may contain any value, and values that are not numbers would silently
 * become 0 or NaN as float32, so they are rejected.
 */
export function vectorLength(item: SourceItem, ordinal: number): number {
  const vector: unknown = 'vector' in item ? item.vector : undefined
  if (Array.isArray(vector)) {
    if (!vector.every((component) => typeof component === 'number')) throw notAnItem(ordinal)
    return vector.length
  }
  const isTyped = ArrayBuffer.isView(vector) && 'length' in vector
  if (!isTyped || kindOf(vector)?.startsWith('Big') === true) throw notAnItem(ordinal)
  return (vector as Float32Array).length
}
