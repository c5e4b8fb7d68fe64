/** The memory of a build, in bytes. Pure; for the plan. */

import { carveRegions, memberRegions, regionBytes, rowRegions, type ShardSizes } from './shard-sizes.js'
import { pipnnParameters } from './pipnn-parameters.js'

/** The kernel's memory grows in steps of an eighth of what it holds. */
const GROWTH = 1.125

/**
 * Peak bytes of one worker's build beside the grid rows: kernel memory and the finished rows. The plan needs this
 * before kind and quality are known, so it assumes 'high', and f32 where rows are copied.
 */
export function workerBytes(members: number, gridDims: number, m: number): number {
  const sizes: ShardSizes = { count: members, gridDims, rowBytes: 4 * gridDims, degree: 2 * m }
  const parameters = pipnnParameters('high', m)
  const phases = Math.max(regionBytes(carveRegions(sizes, parameters)), regionBytes(rowRegions(sizes)))
  const graphBytes = 4 * (members + 1) + 8 * members * 2 * m
  return Math.ceil(GROWTH * (regionBytes(memberRegions(sizes, parameters)) + phases)) + graphBytes
}
