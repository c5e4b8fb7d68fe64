import type { Kernel } from '../../../kernel/kernel.js'
import { scanRows, type ExactQueries } from '../../search/measure/scan-rows.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { NearestLists } from '../../search/measure/nearest-lists.js'
import { readRows } from '../../rows/open-rows.js'

/** Exact neighbours among the vectors of one segment. */
export interface ExactTask extends ExactQueries {
  readonly vectors: RowFile
}

export function exactNeighbours(kernel: Kernel, task: ExactTask): NearestLists {
  const { vectors, dimensions } = task
  return scanRows(kernel, task, {
    first: vectors.firstNode,
    count: vectors.count,
    read: (first, into) => readRows(vectors, 4 * dimensions, first, into),
  })
}
