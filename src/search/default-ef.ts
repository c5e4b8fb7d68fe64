import type { Tuning } from '../api/measure.js'

/** Beam width of searches without `ef` in an index that was never tuned. */
export const DEFAULT_EF = 64

/**
 * The choice for k, or for the next larger k, whose beam finds the nearest k at least as well. `tunings` ascend by k.
 */
export function tuningFor(tunings: readonly Tuning[], k: number): Tuning | undefined {
  return tunings.find((tuning) => tuning.k >= k)
}

/** A beam holds what it finds, so that none is narrower than k. */
export function raisedEfText(given: number, k: number, used: number): string {
  return `ef ${given} is below k ${k}, and ${used} is used: a search keeps as many candidates as it finds`
}

export function defaultEf(tunings: readonly Tuning[], k: number): number {
  return tuningFor(tunings, k)?.ef ?? DEFAULT_EF
}
