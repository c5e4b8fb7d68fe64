/** The layout of a build in kernel memory. The build and the plan's estimate use the same lists of regions. */

import { PANEL_ROWS, panelRows } from '../../../kernel/panel-rows.js'
import type { PipnnParameters } from './pipnn-parameters.js'

/** More leaders cost more time than their finer sorting saves. */
export const MAX_LEADERS = 1000
/**
 * Query rows per tile call; a multiple of a panel's rows. Fewer rows compute less beyond a leaf's half matrix: with 64, 32 and 16
 * the tile took 28, 26 and 25 ms for 12,000 members of SIFT, 128 dimensions.
 */
export const CHUNK_ROWS = 2 * PANEL_ROWS
/** Count, worst word and sketch of 12 directions, before the slots of a reservoir. */
const RECORD_HEADER_BYTES = 64
export const DIRECTIONS = 12

export interface ShardSizes {
  readonly count: number
  readonly gridDims: number
  readonly rowBytes: number
  /** Links that a row has room for: 2m. */
  readonly degree: number
}

/** The number of leaders for a ball of `count` members, each of which joins `fanOut` of the next balls. */
export function leaderCount(count: number, fanOut: number, leafSize: number): number {
  return Math.min(MAX_LEADERS, count, Math.max(2, Math.ceil((3 * count * fanOut) / leafSize)))
}

/** Balls smaller than this are merged with others. */
export function smallBall(leafSize: number): number {
  return leafSize / 8
}

/** The most members of a leaf: a bucket of merged balls is full when one more small ball might not fit. */
export function leafCapacity(leafSize: number): number {
  return leafSize + smallBall(leafSize)
}

export function recordBytes({ reservoir, farReservoir }: PipnnParameters): number {
  return RECORD_HEADER_BYTES + 8 * (reservoir + farReservoir)
}

/** Bytes of each region that is needed for the whole build. */
export function memberRegions({ count, gridDims }: ShardSizes, parameters: PipnnParameters) {
  return {
    list: 4 * count,
    norms: 4 * count,
    records: recordBytes(parameters) * count,
    directions: 4 * DIRECTIONS * gridDims,
    scratch:
      8 * (parameters.reservoir + parameters.farReservoir) +
      8 * Math.max(parameters.leafK, parameters.fanOut, parameters.reservoir),
  }
}

/** Bytes of each region that carving and leaves use. */
export function carveRegions({ count, rowBytes }: ShardSizes, { fanOut, leafSize }: PipnnParameters) {
  const leaders = Math.min(MAX_LEADERS, count)
  const leafRows = 4 * Math.ceil(Math.min(count, leafCapacity(leafSize)) / 4)
  const targets = Math.max(leaders, leafRows)
  return {
    balls: 4 * fanOut * count,
    assigned: 4 * fanOut * count,
    scattered: 4 * count,
    starts: 4 * (leaders + 1),
    bucket: 4 * leafCapacity(leafSize),
    stamps: 4 * count,
    targetRows: targets * rowBytes,
    targetNorms: 4 * targets,
    panels: panelRows(targets) * rowBytes,
    queryRows: CHUNK_ROWS * rowBytes,
    queryNorms: 4 * CHUNK_ROWS,
    matrix: 4 * Math.max(CHUNK_ROWS * leaders, leafRows * leafRows),
  }
}

/** Bytes of each region that holds the rows of the graph. */
export function rowRegions({ count, degree }: ShardSizes) {
  return {
    counts: 4 * count,
    neighbours: 4 * count * degree,
    words: 4 * count * degree,
    offsets: 4 * (count + 1),
    parents: 4 * count,
  }
}

/** The most that alignment adds to a region. */
const ALIGNMENT_BYTES = 16

export function regionBytes(regions: Readonly<Record<string, number>>): number {
  return Object.values(regions).reduce((sum, bytes) => sum + bytes + ALIGNMENT_BYTES, 0)
}
