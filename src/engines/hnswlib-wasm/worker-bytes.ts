/** The memory of a build, in bytes. Pure; for the plan, and to refuse a shard before hnswlib's 32-bit sizes wrap. */

import { recordBytes } from './index-layout.js'

/** Stack, static data and the 65,536 mutexes of 24 bytes that every index holds for its labels. */
const HEAP_FIXED_BYTES = 2_000_000

/**
 * A member's bytes beside its level-0 record: a mutex (24), a level (4), a pointer to upper lists (4), a visited tag
 * (2), and an entry of the label table with its bucket (24, and 8 while it is rehashed).
 */
const HEAP_MEMBER_BYTES = 66

/** malloc's header and rounding around a member's upper lists. */
const ALLOCATION_BYTES = 16

/**
 * The module's script, its compiled code and the garbage of loading it. Measured in fresh processes (Node 20, x86-64,
 * m = 16) as peak RSS less RSS before loading: 11 to 14 MB for one member. For 8192 x 128, 8192 x 384 and 4096 x 1536
 * components it was 18 to 23, 25 to 27 and 32 to 34 MB, where `workerBytes` gives 24, 32 and 43.
 */
const MODULE_BYTES = 14_000_000

/** Bytes of the module's heap that one index uses. A member is above level 0 with probability 1/m, once per level. */
export function heapBytes(members: number, gridDims: number, m: number): number {
  const upperBytes = (4 + 4 * m + ALLOCATION_BYTES) / (m - 1)
  return HEAP_FIXED_BYTES + Math.ceil(members * (recordBytes(gridDims, m) + HEAP_MEMBER_BYTES + upperBytes))
}

/** Peak bytes of one worker's builds beside the grid rows: module, heap in use, and finished rows of 2m neighbours. */
export function workerBytes(members: number, gridDims: number, m: number): number {
  const graphBytes = 4 * (members + 1) + 8 * members * 2 * m
  return MODULE_BYTES + heapBytes(members, gridDims, m) + graphBytes
}
