/** The largest values of options, for modules that only need the numbers. */

export { MAX_DIMENSIONS } from '../api/vectors.js'
/** Node numbers are 32 bits, and two of them are reserved. */
export const MAX_COUNT = 2 ** 32 - 2
/** Timers take 32 bits of milliseconds. */
export const MAX_STALL_SECONDS = 2_000_000
/** Fewer bits than this tell too few vectors apart: SIFT (128 dimensions) has recall@10 .86 where others have .99. */
export const LEAST_BINARY_DIMENSIONS = 256
export const MAX_THREADS = 1024
export const MAX_UINT32 = 2 ** 32 - 1
