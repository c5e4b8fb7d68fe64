/** Random directions for the sketches, and the seeds of a build's steps: functions of its seed. */

import type { Shard } from '../shard-engine.js'
import { DIRECTIONS } from './shard-sizes.js'

/** i16 grid rows have a norm of at most 22,361: with this norm, twice an inner product stays far below 2^31. */
const DIRECTION_NORM = 30_000

/** An endless sequence of unsigned 32-bit numbers: a counter, mixed by murmur3's finalizer. */
export function randomWords(seed: number): () => number {
  let state = mix(seed ^ 0x9e3779b9)
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state)
  }
}

function mix(word: number): number {
  let mixed = word >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** 12 rows of `gridDims` independent, nearly normal components (sums of four uniform ones). */
export function fillDirections(
  out: Int16Array | Float32Array,
  kind: Shard['kind'],
  gridDims: number,
  words: () => number,
): void {
  const sigma = Math.min(1000, DIRECTION_NORM / Math.sqrt(gridDims))
  for (let at = 0; at < DIRECTIONS * gridDims; at++) {
    // The sum of four uniform numbers in [0, 1) has the variance 1/3.
    const sum = (words() + words() + words() + words()) / 2 ** 32 - 2
    const component = sum * Math.sqrt(3) * sigma
    out[at] = kind === 'i16' ? Math.round(component) : component
  }
}
