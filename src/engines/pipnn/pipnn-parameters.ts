/** The parameters of the engine for any m, tuned at m = 16 on SIFT 100k and WordNet 20k. */

import type { Quality } from '../../api/report.js'

export interface PipnnParameters {
  /** Balls that each member joins on the first level. Below, it joins one. */
  readonly fanOut: number
  /** Members of a ball that is not carved further. */
  readonly leafSize: number
  /** The nearest of its leaf that each member offers. */
  readonly leafK: number
  /** Candidates a reservoir holds; a multiple of 4. */
  readonly reservoir: number
  /** Far candidates a member holds; a power of two from 4 on. */
  readonly farReservoir: number
}

const FAR_RESERVOIR = 16

export function pipnnParameters(quality: Quality, m: number): PipnnParameters {
  // Above m = 16 candidates and reservoir grow with the row.
  const wide = Math.max(1, m / 16)
  if (quality === 'high') {
    return {
      fanOut: 4,
      leafSize: 1024,
      leafK: Math.ceil(8 * wide),
      reservoir: fours(40 * wide),
      farReservoir: FAR_RESERVOIR,
    }
  }
  return {
    fanOut: 4,
    leafSize: 512,
    leafK: Math.ceil(6 * wide),
    reservoir: fours(32 * wide),
    farReservoir: FAR_RESERVOIR,
  }
}

function fours(value: number): number {
  return 4 * Math.ceil(value / 4)
}
