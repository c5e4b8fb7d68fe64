/** Turns level 0 of a finished index into a shard graph: exact distances by the kernel, rows sorted and cut. */

import type { Kernel } from '../../../kernel/kernel.js'
import { typedOps } from '../../../kernel/typed-ops.js'
import { EngineError } from '../../errors.js'
import type { Shard, ShardGraph } from '../shard-engine.js'
import type { Level0 } from './index-layout.js'
import { ENGINE } from './load-hnswlib.js'

/** @throws EngineError when a record's label or a link differs from what this engine inserted. */
export function readRows(
  heap: Uint32Array,
  level0: Level0,
  kernel: Kernel,
  shard: Shard,
  maxDegree: number,
): ShardGraph {
  const { count, gridDims, grid, kind } = shard
  const capacity = rowCapacity(heap, level0, count, maxDegree)
  const offsets = new Uint32Array(count + 1)
  const neighbours = new Uint32Array(capacity)
  const distanceWords = new Uint32Array(capacity)
  const row = new Uint32Array(level0.maxLinks)
  const ops = typedOps(kernel, kind, gridDims)

  const mark = kernel.mark()
  try {
    const pointersAt = kernel.alloc(4 * level0.maxLinks)
    const distancesAt = kernel.alloc(4 * level0.maxLinks)
    const pointers = kernel.u32(pointersAt, level0.maxLinks)
    const distances = kernel.u32(distancesAt, level0.maxLinks)

    let end = 0
    for (let member = 0; member < count; member++) {
      const record = level0.firstWord + member * level0.recordWords
      const links = heap[record] & 0xffff
      for (let at = 0; at < links; at++) {
        const neighbour = heap[record + 1 + at]
        if (neighbour >= count || neighbour === member) {
          throw new EngineError(ENGINE, `member ${member} of ${count} has a link to ${neighbour}`)
        }
        row[at] = neighbour
        pointers[at] = grid + neighbour * ops.rowBytes
      }
      const from = grid + member * ops.rowBytes
      ops.gather(from, pointersAt, links, distancesAt)
      sortRow(row, distances, links)
      const kept = Math.min(links, maxDegree)
      for (let at = 0; at < kept; at++, end++) {
        if (at > 0 && row[at] === row[at - 1]) {
          throw new EngineError(ENGINE, `member ${member} has two links to ${row[at]}`)
        }
        neighbours[end] = row[at]
        distanceWords[end] = distances[at]
      }
      offsets[member + 1] = end
    }
    return { offsets, neighbours, distanceWords }
  } finally {
    kernel.release(mark)
  }
}

/** The entries of all rows. Also checks each record's label and link count: a second proof of the layout. */
function rowCapacity(heap: Uint32Array, level0: Level0, count: number, maxDegree: number): number {
  let entries = 0
  for (let member = 0; member < count; member++) {
    const record = level0.firstWord + member * level0.recordWords
    const links = heap[record] & 0xffff
    const label = heap[record + level0.labelWord]
    if (label !== member || links > level0.maxLinks) {
      throw new EngineError(
        ENGINE,
        `record ${member} has label ${label} and ${links} links, expected its number and at most ${level0.maxLinks}`,
      )
    }
    entries += Math.min(links, maxDegree)
  }
  return entries
}

/** Insertion sort by distance, then index: rows are short and arrive nearly sorted. Repeats end up side by side. */
function sortRow(row: Uint32Array, distances: Uint32Array, length: number): void {
  for (let at = 1; at < length; at++) {
    const neighbour = row[at]
    const distance = distances[at]
    let to = at
    while (to > 0 && (distances[to - 1] > distance || (distances[to - 1] === distance && row[to - 1] > neighbour))) {
      row[to] = row[to - 1]
      distances[to] = distances[to - 1]
      to--
    }
    row[to] = neighbour
    distances[to] = distance
  }
}
