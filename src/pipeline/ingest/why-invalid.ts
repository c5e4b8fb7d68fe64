import type { InvalidFieldError } from '../../errors.js'

/**
 * Two vectors with this squared norm are at most twice their norm apart: float32 can still represent the squared
 * distance, 3.2e38.
 */
const MAX_SQUARED_NORM = 8e37

/** Why a vector with this squared norm cannot be indexed; undefined when it can. */
export function whyInvalid(squaredNorm: number, cosine: boolean): string | undefined {
  if (!Number.isFinite(squaredNorm)) return 'has a component that is NaN or infinite'
  // Under cosine the vector has unit length by now.
  if (!cosine && squaredNorm > MAX_SQUARED_NORM) {
    return `has a squared norm of ${squaredNorm.toExponential(1)}: squared distances above 3.4e38 do not fit float32`
  }
  if (cosine && squaredNorm === 0) return 'is all zeros, which has no direction under cosine'
  return undefined
}

/** Why a vector is left out whose fields break the schema. */
export function whyFieldsRefused({ details: { field, reason } }: InvalidFieldError): string {
  return `has wrong fields: ${field === undefined ? '' : `${JSON.stringify(field)} `}${reason}`
}

/** Below this, squares of differences lose bits in float32, whose smallest normal number is 1.2e-38, or vanish. */
const LEAST_SQUARED_NORM = 1e-30

/** Why no distances can be told apart when the longest vector has this squared norm; undefined when they can. */
export function whyTooShort(maxSquaredNorm: number, cosine: boolean): string | undefined {
  if (cosine || maxSquaredNorm === 0 || maxSquaredNorm >= LEAST_SQUARED_NORM) return undefined
  const factor = 10 ** Math.ceil(-Math.log10(maxSquaredNorm) / 2)
  return (
    `is too short, as all others are: the largest squared norm is ${maxSquaredNorm.toExponential(1)}, and squared ` +
    `distances below 1.2e-38 vanish in float32; multiply all vectors, and queries, by ${factor.toExponential(0)}`
  )
}
