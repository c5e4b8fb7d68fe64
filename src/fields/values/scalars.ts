/** Numbers and dates as programs give them, in records and in filters. NaN says that a value is none. */
import { types } from 'node:util'
import { isoDate } from './iso-date.js'

/** The farthest milliseconds from 1970 that a Date holds. */
export const MAX_DATE_MS = 8.64e15

/** A finite number; a bigint when no digit is lost. Negative zero becomes 0. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : NaN
  if (typeof value !== 'bigint') return NaN
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : NaN
}

/** Whole milliseconds since 1970, as a Date has them: of a Date, of text of ISO 8601, or of milliseconds. */
export function dateOf(value: unknown): number {
  const ms = typeof value === 'string' ? isoDate(value) : types.isDate(value) ? msOf(value) : numberOf(value)
  return Math.abs(ms) <= MAX_DATE_MS ? Math.trunc(ms) + 0 : NaN
}

// The method of any realm reads the dates of all.
const msOf = (date: Date): number => Date.prototype.getTime.call(date)

/** A latitude of at most 90, a longitude of at most 180. False for NaN. */
export function isDegrees(value: unknown, most: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= most
}
