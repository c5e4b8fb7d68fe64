/** The largest values of options, for those who only need the numbers: nothing is loaded. */

export { MAX_DIMENSIONS } from '../api/vectors.js'
/** Node numbers are 32 bits, and two of them mean something else. */
export const MAX_COUNT = 2 ** 32 - 2
/** Timers take 32 bits of milliseconds. */
export const MAX_STALL_SECONDS = 2_000_000
